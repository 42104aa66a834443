// Jitsu's library, outside of a browser.
import { jitsuAnalytics } from "@jitsu/js";

const [host, writeKey] = process.argv.slice(2);
const analytics = jitsuAnalytics({ host, writeKey });
await analytics.page({ name: "Shoes", url: "https://shop.example/shoes" });
await analytics.track("Product Added", { product_id: "boot", price: 80 });
await analytics.identify("u-jitsu", { plan: "gold" });
console.log(JSON.stringify(analytics.user()));
