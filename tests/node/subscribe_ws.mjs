// One or more subscriptions by the client of `graphql-ws`. Prints a line of JSON for whatever happens; a line on
// standard input that begins with "complete" ends the subscription that it names, "dispose" ends the client.
import { createInterface } from "node:readline";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, authorization, ...operations] = process.argv.slice(2);
const say = (...what) => console.log(JSON.stringify(what));

const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: authorization ? { authorization } : {},
  retryAttempts: 50,
  shouldRetry: () => true, // by default only what was closed is tried again, not what could not be opened
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
  on: {
    connected: () => say("connected"),
    closed: (event) => say("closed", event.code, event.reason),
  },
});

const running = operations.map((operation, number) =>
  client.subscribe(JSON.parse(operation), {
    next: (result) => say("next", number, result),
    error: (error) => say("error", number, error instanceof Error ? error.message : error),
    complete: () => say("complete", number),
  }),
);

createInterface({ input: process.stdin }).on("line", async (line) => {
  const [what, number] = line.split(" ");
  if (what === "complete") running[Number(number)]();
  if (what === "dispose") {
    await client.dispose();
    process.exit(0);
  }
});
