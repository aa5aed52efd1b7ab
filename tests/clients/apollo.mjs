// An unmodified Apollo Client: persisted queries by hash, by POST and by GET, and a mutation. Prints what came and went.
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { createHash } from "node:crypto";

const [address, token] = process.argv.slice(2);
const requests = [];
const possibleTypes = { Problem: ["InvalidProblem", "NotFoundProblem", "NotAllowedProblem", "ConflictProblem"] };

async function watched(url, init) {
  const answer = await fetch(url, init);
  const sent = init.body ? JSON.parse(init.body) : Object.fromEntries(new URL(url).searchParams);
  requests.push({
    method: init.method,
    text: "query" in sent,
    status: answer.status,
    type: answer.headers.get("content-type"),
    errors: ((await answer.clone().json()).errors ?? []).map((error) => error.extensions.code),
  });
  return answer;
}

function client(useGETForHashedQueries) {
  const persisted = new PersistedQueryLink({
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
    useGETForHashedQueries,
  });
  const http = new HttpLink({ uri: address, fetch: watched, headers: { authorization: `Bearer ${token}` } });
  return new ApolloClient({ link: ApolloLink.from([persisted, http]), cache: new InMemoryCache({ possibleTypes }) });
}

const document = gql`
  query ApolloPeople($first: Int!) {
    viewer { id fullName role }
    people(first: $first) { edges { node { id fullName } } totalCount }
  }
`;
const create = gql`
  mutation ApolloPersonCreate($input: PersonCreateInput!) {
    personCreate(input: $input) {
      ... on PersonCreatePayload { person { id fullName } }
      ... on Problem { code message field }
    }
  }
`;
const fresh = { query: document, variables: { first: 5 }, fetchPolicy: "no-cache" };

const byPost = client(false);
const created = await byPost.mutate({ mutation: create, variables: { input: { fullName: "Asha Rao" } } });
const first = await byPost.query(fresh);
const second = await byPost.query(fresh);
const third = await client(true).query(fresh);
const refused = await byPost.mutate({ mutation: create, variables: { input: { fullName: " " } } });
console.log(JSON.stringify({ requests, data: [created, first, second, third, refused].map((each) => each.data) }));
