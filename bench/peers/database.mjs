// What the Node peers share: one pool of connections to PostgreSQL, and the hand-written statements by name.
import { readFileSync } from "node:fs";
import pg from "pg";

// Times as RFC 3339 in UTC, straight from PostgreSQL's text: a Date for each would cost the peer more.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => `${text.slice(0, 10)}T${text.slice(11)}:00`);

export const size = Number(process.env.POOL);

// The address comes from PGHOST, PGUSER and so on; PGOPTIONS holds the settings that every connection has.
export const pool = new pg.Pool({ max: size, min: size, idleTimeoutMillis: 0 });

export async function connected() {
  const clients = await Promise.all(Array.from({ length: size }, () => pool.connect()));
  for (const client of clients) client.release();
}

const text = readFileSync(new URL("statements.sql", import.meta.url), "utf8");
const statements = Object.fromEntries(
  text
    .split(/^-- name: /m)
    .slice(1)
    .map((section) => {
      const [name, ...lines] = section.split("\n");
      return [name.trim(), { name: name.trim(), text: lines.join("\n").trim() }];
    }),
);

// A statement with a name is prepared once on each connection.
export async function rows(name, ...values) {
  return (await pool.query({ ...statements[name], values })).rows;
}
