// Apollo's client with automatic persisted queries: asks twice, and prints what was sent and what came.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { createHash } from "node:crypto";

const [uri, authorization, method] = process.argv.slice(2);
const sent = [];

async function noted(target, init) {
  const answer = await fetch(target, init);
  const asked = init.method === "GET" ? Object.fromEntries(new URL(target).searchParams) : JSON.parse(init.body);
  sent.push({ method: init.method, withText: "query" in asked, status: answer.status });
  return answer;
}

const persisted = new PersistedQueryLink({
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  useGETForHashedQueries: method === "GET",
});
const http = new HttpLink({ uri, headers: { authorization }, fetch: noted });
const client = new ApolloClient({ link: persisted.concat(http), cache: new InMemoryCache() });
const query = gql`query By${method}($slug: String!) { page(slug: $slug) { slug title } }`;

const answers = [];
for (const slug of ["home", "home"]) {
  answers.push((await client.query({ query, variables: { slug }, fetchPolicy: "network-only" })).data.page);
}
console.log(JSON.stringify({ sent, answers }));
