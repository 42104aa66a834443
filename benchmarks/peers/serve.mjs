// node serve.mjs SERVER PAGES: answers the pages of a file, by visitor, through a schema of the gateway's shape.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { GraphQLScalarType } from 'graphql'

const [server, file] = process.argv.slice(2)
const pages = new Map(Object.entries(JSON.parse(readFileSync(file))))
const HOST = '127.0.0.1'

const typeDefs = `
  scalar JSON
  scalar DateTime
  enum Basis { PERSONAL CONTEXTUAL }
  input DeviceInput { type: String os: String osVersion: String browser: String browserVersion: String model: String bot: Boolean }
  input GeoInput { country: String region: String city: String lat: Float lon: Float }
  input ContextInput {
    device: DeviceInput geo: GeoInput time: DateTime timezone: String locale: String url: String referrer: String
    attributes: JSON
  }
  type ChosenBlock { key: String! type: String! variant: String! position: Int! score: Float data: JSON! }
  type Slot { name: String! blocks: [ChosenBlock!]! }
  type Page { slug: String! title: String! locale: String! basis: Basis! revision: String! slots: [Slot!]! }
  type Query { page(slug: String!, visitor: ID, context: ContextInput): Page }
`
const anything = (name) => new GraphQLScalarType({ name, serialize: (value) => value, parseValue: (value) => value })
const resolvers = {
  JSON: anything('JSON'),
  DateTime: anything('DateTime'),
  Query: { page: (_, { slug, visitor }) => (slug === 'home' ? pages.get(visitor) : null) },
}

async function fastify() {
  return (await import('fastify')).default()
}

async function mercurius(jit) {
  const app = await fastify()
  await app.register((await import('mercurius')).default, { schema: typeDefs, resolvers, jit })
  return listening(app)
}

async function listening(app) {
  return new URL(await app.listen({ host: HOST, port: 0 })).port
}

const servers = {
  async fastify() {
    const app = await fastify()
    app.post('/graphql', async (request, reply) => {
      reply.type('application/json; charset=utf-8')
      return JSON.stringify({ data: { page: pages.get(request.body.variables.visitor) } })
    })
    return listening(app)
  },
  'mercurius-jit': () => mercurius(1),
  mercurius: () => mercurius(0),
  async apollo() {
    const { ApolloServer } = await import('@apollo/server')
    const { startStandaloneServer } = await import('@apollo/server/standalone')
    const { url } = await startStandaloneServer(new ApolloServer({ typeDefs, resolvers }), { listen: { host: HOST, port: 0 } })
    return new URL(url).port
  },
  async yoga() {
    const { createSchema, createYoga } = await import('graphql-yoga')
    const schema = createSchema({ typeDefs, resolvers })
    const http = createServer(createYoga({ schema, logging: false, graphiql: false, landingPage: false }))
    await new Promise((resolve) => http.listen(0, HOST, resolve))
    return http.address().port
  },
}

console.log(`listening at http://${HOST}:${await servers[server]()}`)
