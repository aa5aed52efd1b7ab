// An unmodified urql client with its persisted exchange. Prints what came and went.
import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";

const [address, token] = process.argv.slice(2);
const requests = [];

async function watched(url, init) {
  const answer = await fetch(url, init);
  requests.push({
    method: init.method ?? "GET",
    status: answer.status,
    errors: ((await answer.clone().json()).errors ?? []).map((error) => error.extensions.code),
  });
  return answer;
}

function client(preferGetForPersistedQueries) {
  return new Client({
    url: address,
    fetch: watched,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [cacheExchange, persistedExchange({ preferGetForPersistedQueries }), fetchExchange],
  });
}

const document = gql`
  query UrqlViewer($first: Int!) {
    viewer { id role }
    leads(first: $first) { edges { node { id } } totalCount }
  }
`;
const fresh = { requestPolicy: "network-only" };
const first = await client(false).query(document, { first: 3 }, fresh).toPromise();
const second = await client(true).query(document, { first: 3 }, fresh).toPromise();
const wrong = await client(false).query(gql`query UrqlWrong { leads(first: 500) { totalCount edges { cursor } } }`, {}).toPromise();
console.log(
  JSON.stringify({
    requests,
    data: [first.data, second.data],
    errors: [first, second, wrong].map((each) => each.error?.graphQLErrors.map((error) => error.extensions.code) ?? []),
  }),
);
