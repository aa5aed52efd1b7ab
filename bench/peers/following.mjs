// Mercurius's subscriptions, as its documentation has them: one topic, one resolver, its own emitter.
// Events come as the product's own process gets them: a notification wakes, one statement reads what is new.
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";
import { pool, rows } from "./database.mjs";

const schema = `
  interface Actor { id: ID!, displayName: String! }
  type UserActor implements Actor { id: ID!, displayName: String! }
  type SystemActor implements Actor { id: ID!, displayName: String! }
  interface Node { id: ID! }
  type Person implements Node { id: ID! }
  type Lead implements Node { id: ID! }
  type ActivityEntry { id: ID!, kind: String!, at: String!, actor: Actor!, subject: Node!, summary: String! }
  type CrmActivityEvent { cursor: ID!, entry: ActivityEntry! }
  scalar EventCursor
  type Query { ready: Boolean! }
  type Subscription { crmActivity(after: EventCursor): CrmActivityEvent! }
`;
const TOPIC = "activity";
const resolvers = {
  Query: { ready: () => true },
  Actor: { resolveType: (actor) => (actor.noun === "users" ? "UserActor" : "SystemActor") },
  Node: { resolveType: (node) => (node.noun === "people" ? "Person" : "Lead") },
  Subscription: { crmActivity: { subscribe: (_root, _arguments, { pubsub }) => pubsub.subscribe(TOPIC) } },
};

const told = (row) => ({
  cursor: row.cursor,
  entry: {
    id: row.id, kind: row.kind, at: row.at, summary: row.summary,
    actor: { noun: row.actor_noun, id: row.actor_id, displayName: row.actor_name },
    subject: { noun: row.subject_noun, id: row.subject_id },
  },
});

const app = Fastify({ logger: false });
app.register(mercurius, { schema, resolvers, subscription: true, jit: 1, graphiql: false });
await app.ready();

let [{ sequence }] = await rows("newest_event");
let reading = false;
let woken = false;

async function read() {
  woken = true;
  if (reading) return;
  reading = true;
  while (woken) {
    woken = false;
    for (const row of await rows("activity_after", sequence)) {
      sequence = row.sequence;
      await app.graphql.pubsub.publish({ topic: TOPIC, payload: { crmActivity: told(row) } });
    }
  }
  reading = false;
}

const listener = new pg.Client();
await listener.connect();
listener.on("notification", read);
await listener.query("LISTEN velocity_events");
process.on("SIGTERM", async () => {
  await Promise.all([listener.end(), pool.end()]);
  process.exit(0);
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
