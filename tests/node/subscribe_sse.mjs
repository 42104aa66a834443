// One or more subscriptions by the client of `graphql-sse`, each over a connection of its own. Prints a line of JSON
// for whatever happens; a line on standard input that begins with "complete" ends the subscription that it names,
// "dispose" ends the client.
import { createInterface } from "node:readline";
import { createClient } from "graphql-sse";

const [url, authorization, ...operations] = process.argv.slice(2);
const say = (...what) => console.log(JSON.stringify(what));

const client = createClient({
  url,
  singleConnection: false,
  headers: authorization ? { authorization } : {},
  retryAttempts: 50,
  retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
  on: { connected: () => say("connected") },
});

const running = operations.map((operation, number) =>
  client.subscribe(JSON.parse(operation), {
    next: (result) => say("next", number, result),
    error: (error) => say("error", number, error instanceof Error ? error.message : error),
    complete: () => say("complete", number),
  }),
);

createInterface({ input: process.stdin }).on("line", (line) => {
  const [what, number] = line.split(" ");
  if (what === "complete") running[Number(number)]();
  if (what === "dispose") {
    client.dispose();
    process.exit(0);
  }
});
