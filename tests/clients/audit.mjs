// Runs the graphql-http server audit against `address` as the bearer of `token`; prints one JSON line per audit.
import { auditServer } from "graphql-http";

const [address, token] = process.argv.slice(2);

function signedIn(url, init = {}) {
  return fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
}

for (const { id, name, status, reason } of await auditServer({ url: address, fetchFn: signedIn })) {
  console.log(JSON.stringify({ id, name, status, reason: reason ?? "" }));
}
