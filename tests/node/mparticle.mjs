// mParticle's library for node: one batch, then the same again in bulk.
import mparticle from "mparticle";

const [address, secret, visitor] = process.argv.slice(2);
const batch = new mparticle.Batch(mparticle.Batch.Environment.development);
batch.mp_deviceid = visitor;
batch.user_identities = new mparticle.UserIdentities();
batch.user_identities.customerid = "u-" + visitor;
batch.user_attributes = { plan: "gold" };

const custom = new mparticle.AppEvent(mparticle.AppEvent.CustomEventType.navigation, "Video Watched");
custom.timestamp_unixtime_ms = Date.now() - 3000;
custom.custom_attributes = { block: "clip" };
const screen = new mparticle.ScreenViewEvent();
screen.screen_name = "Cart";
screen.timestamp_unixtime_ms = Date.now() - 2000;
const product = new mparticle.Product();
product.id = "boot";
const action = new mparticle.ProductAction("purchase");
action.products = [product];
action.total_amount = 80;
action.transaction_id = "o1";
const bought = new mparticle.CommerceEvent();
bought.product_action = action;
bought.timestamp_unixtime_ms = Date.now() - 1000;
for (const event of [custom, screen, bought]) batch.addEvent(event);

const api = new mparticle.EventsApi(new mparticle.Configuration("any", secret));
api.apiClient.basePath = address + "/v2";
const statuses = [];
const send = (call, body) => new Promise((resolve) => call.call(api, body, (error, _, response) => {
  statuses.push(error ? String(error) : response.status);
  resolve();
}));
await send(api.uploadEvents, batch);
await send(api.bulkUploadEvents, [batch]);
console.log(JSON.stringify(statuses));
