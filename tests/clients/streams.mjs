// Unmodified clients of graphql-ws and graphql-sse: each follows the activity feed until it was told two events, and
// asks one query; by a text, and by a registered document's name. Prints what came, and how both are refused.
import { createClient as eventsClient } from "graphql-sse";
import { createClient as socketClient } from "graphql-ws";
import WebSocket from "ws";

const [address, token, after] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const query = "subscription CrmActivity($after: EventCursor) { crmActivity(after: $after) { cursor entry { kind subject { id } } } }";
const socket = socketClient({
  url: address.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: async () => ({ authorization }),
  retryAttempts: 0,
});
const events = eventsClient({ url: address, headers: { authorization }, retryAttempts: 0 });

async function two(client, named) {
  const told = [];
  for await (const result of client.iterate({ ...named, variables: { after } })) {
    if (result.errors) throw new Error(JSON.stringify(result.errors));
    told.push(result.data.crmActivity);
    if (told.length === 2) break;
  }
  return told;
}

async function asked(client, text) {
  const results = [];
  try {
    for await (const result of client.iterate({ query: text })) results.push(result);
  } catch (error) {
    results.push({ thrown: error });
  }
  return results;
}

// How a socket with this payload ends, for the client of graphql-ws.
async function closed(connectionParams) {
  const ended = {};
  const client = socketClient({
    url: address.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
    on: { closed: ({ code, reason }) => Object.assign(ended, { code, reason }) },
  });
  await asked(client, "{ viewer { role } }");
  return ended;
}

// What the other mode of graphql-sse gets, which reserves one stream for everything.
async function reserved() {
  const client = eventsClient({ url: address, headers: { authorization }, retryAttempts: 0, singleConnection: true });
  const [{ thrown }] = await asked(client, "{ viewer { role } }");
  client.dispose();
  return thrown.response.status;
}

const told = await Promise.all(
  [{ query }, { query: "", documentId: "CrmActivity" }].flatMap((named) => [two(socket, named), two(events, named)]),
);
console.log(
  JSON.stringify({
    told,
    closed: await closed({ authorization: "Bearer none.of.ours" }),
    reserved: await reserved(),
    answers: [await asked(socket, "{ viewer { role } }"), await asked(events, "{ viewer { role } }")],
    refused: [await asked(socket, "{ nonsense }"), await asked(events, "{ nonsense }")],
  }),
);
await socket.dispose();
events.dispose();
