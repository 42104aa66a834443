// RudderStack's library for node: gzip in a body that it calls a form.
import Analytics from "@rudderstack/rudder-sdk-node";

const [dataPlaneUrl, key, visitor] = process.argv.slice(2);
const analytics = new Analytics(key, { dataPlaneUrl, flushAt: 4, flushInterval: 60_000, logLevel: "error" });
const failures = [];
const done = (resolve) => (error) => { if (error) failures.push(String(error)); resolve(); };
const sent = [
  new Promise((resolve) => analytics.track({
    anonymousId: visitor, event: "Product Added", properties: { product_id: "boot", price: 80 },
  }, done(resolve))),
  new Promise((resolve) => analytics.identify({
    anonymousId: visitor, userId: "u-" + visitor, traits: { plan: "gold" },
  }, done(resolve))),
  new Promise((resolve) => analytics.page({
    anonymousId: visitor, name: "Shoes", properties: { url: "https://shop.example/shoes" },
  }, done(resolve))),
];
analytics.flush();
await Promise.all(sent);
console.log(JSON.stringify(failures));
process.exit(0);
