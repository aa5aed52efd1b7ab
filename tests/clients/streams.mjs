// Unmodified clients of graphql-ws and graphql-sse: each follows the activity feed until it was told two events, and
// asks one query. Prints a line when it is followed, and what came at the end.
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

async function two(client) {
  const told = [];
  for await (const result of client.iterate({ query, variables: { after } })) {
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

const [bySocket, byEvents] = await Promise.all([two(socket), two(events)]);
console.log(
  JSON.stringify({
    told: [bySocket, byEvents],
    answers: [await asked(socket, "{ viewer { role } }"), await asked(events, "{ viewer { role } }")],
    refused: [await asked(socket, "{ nonsense }"), await asked(events, "{ nonsense }")],
  }),
);
await socket.dispose();
events.dispose();
