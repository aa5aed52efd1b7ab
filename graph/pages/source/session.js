// Who is signed in, kept for this tab only, and the one way from these pages to /graphql.
import operations from "velocity:operations";

const ENDPOINT = "/graphql";
const STORED_AS = "velocity.session";
// A token this close to its end is exchanged before it is used.
const MARGIN_MS = 60_000;

// { viewer, accessToken, accessTokenExpiresAt, refreshToken }, or null.
let session = JSON.parse(sessionStorage.getItem(STORED_AS));
let refreshing = null;
const listeners = new Set();

export const current = () => session;

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function keep(next) {
  session = next;
  if (next) sessionStorage.setItem(STORED_AS, JSON.stringify(next));
  else sessionStorage.removeItem(STORED_AS);
  for (const listener of listeners) listener();
}

async function post(request, headers) {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const isJson = response.headers.get("content-type")?.includes("json");
  const answer = isJson ? await response.json() : { errors: [{ message: await response.text() }] };
  return { status: response.status, answer };
}

// The server answered, and said no.
class Refusal extends Error {}

// Runs one mutation on sessions and returns its payload; anything else is thrown, with the server's words.
async function mutate(name, field, payload, variables) {
  const { answer } = await post({ query: operations[name], operationName: name, variables });
  const result = answer.data?.[field];
  if (result?.__typename === payload) return result;
  if (result) throw new Refusal(result.message);
  throw new Error(answer.errors?.[0]?.message ?? "The server did not answer.");
}

export async function signIn(email, password) {
  const { __typename, ...next } = await mutate("Login", "login", "LoginPayload", { email, password });
  keep(next);
}

export async function signOut() {
  const { refreshToken } = session;
  keep(null);
  try {
    await mutate("SessionRevoke", "sessionRevoke", "SessionRevokePayload", { refreshToken });
  } catch (error) {
    // This tab has forgotten the tokens; those that could not be revoked end by themselves.
    console.warn("The session was not revoked:", error.message);
  }
}

async function refresh() {
  const { refreshToken } = session;
  const variables = { refreshToken };
  let next = null;
  try {
    const { __typename, ...tokens } = await mutate("SessionRefresh", "sessionRefresh", "SessionRefreshPayload", variables);
    next = { ...session, ...tokens };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  // Somebody may have signed out in the meantime: then the new tokens belong to nobody.
  if (session?.refreshToken === refreshToken) keep(next);
}

// The server says that nobody is signed in any more: the page falls back to sign-in.
export const forget = () => keep(null);

// A token that is valid for a while; `isRefused` asks for another one than the server has just refused.
export async function accessToken(isRefused = false) {
  if (session && (isRefused || Date.parse(session.accessTokenExpiresAt) - Date.now() < MARGIN_MS)) {
    // A refresh token works once, so requests that come together share one exchange.
    refreshing ??= refresh().finally(() => (refreshing = null));
    await refreshing;
  }
  if (!session) throw new Error("The session has ended. Sign in again.");
  return session.accessToken;
}

// Sends one GraphQL request as the person who is signed in. Without a valid session the page falls back to sign-in.
export async function send(request, headers) {
  try {
    const { status, answer } = await post(request, { authorization: `Bearer ${await accessToken()}`, ...headers });
    if (status === 401 || answer.errors?.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")) forget();
    return answer;
  } catch (error) {
    return { errors: [{ message: error.message }] };
  }
}
