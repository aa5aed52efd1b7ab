// Takes the donation links, the last addresses of other hosts, out of a package-lock.json. `make lock` runs it.
import { readFileSync, writeFileSync } from "node:fs";

const path = process.argv[2] ?? new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.funding;
writeFileSync(path, JSON.stringify(lock, null, 2) + "\n");
