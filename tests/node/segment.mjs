// Segment's library for node: a visit in which somebody buys and signs up.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey, visitor] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, maxRetries: 1 });
const failures = [];
analytics.on("error", (error) => failures.push(String(error.reason ?? error)));
const anonymousId = visitor;

analytics.page({ anonymousId, name: "Shoes", properties: { url: "https://shop.example/shoes?utm_source=news" } });
analytics.track({ anonymousId, event: "Product Viewed", properties: { product_id: "boot", price: 80 } });
analytics.track({ anonymousId, event: "Product Added", properties: { product_id: "boot", price: 80 } });
analytics.track({
  anonymousId, userId: "u-" + visitor, event: "Order Completed",
  properties: { order_id: "o1", revenue: 80, products: [{ product_id: "boot" }] },
});
analytics.identify({ anonymousId, userId: "u-" + visitor, traits: { plan: "gold" } });
analytics.alias({ previousId: anonymousId, userId: "u-" + visitor });
analytics.group({ anonymousId, groupId: "g1", traits: { seats: 3 } });
analytics.screen({ anonymousId, name: "Cart" });
await analytics.closeAndFlush();
console.log(JSON.stringify(failures));
