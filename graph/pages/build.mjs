// Bundles the web pages into dist/, complete: nothing in it asks another host for anything.
import { copyFile, readFile, readdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const PAGES = ["graphiql", "live"];
const here = (path) => new URL(path, import.meta.url).pathname;

// The client operations, as a module: an object of document texts by operation name.
const operations = {
  name: "operations",
  setup(bundle) {
    bundle.onResolve({ filter: /^velocity:operations$/ }, ({ path }) => ({ path, namespace: "operations" }));
    bundle.onLoad({ filter: /.*/, namespace: "operations" }, async () => {
      const files = (await readdir(here("../operations"))).filter((file) => file.endsWith(".graphql")).sort();
      const texts = await Promise.all(files.map((file) => readFile(here(`../operations/${file}`), "utf8")));
      const byName = files.map((file, index) => [file.slice(0, -".graphql".length), texts[index]]);
      return { contents: JSON.stringify(Object.fromEntries(byName)), loader: "json" };
    });
  },
};

const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  outdir: here("dist"),
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "linked",
  logLevel: "warning",
};

await rm(here("dist"), { recursive: true, force: true });
await build({
  ...common,
  entryPoints: PAGES.map((page) => here(`source/${page}.jsx`)),
  format: "esm",
  splitting: true,
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  jsx: "automatic",
  loader: { ".ttf": "file", ".woff2": "file" },
  plugins: [operations],
});
// A worker is a script of its own; its file name is the one that source/workers.js asks for.
await build({
  ...common,
  entryPoints: {
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  format: "iife",
});
for (const page of PAGES) await copyFile(here(`source/${page}.html`), here(`dist/${page}.html`));
