// Tells the editor where its background workers are: beside this script, on our own origin.
globalThis.MonacoEnvironment = {
  getWorker(_moduleId, label) {
    const name = label === "graphql" || label === "json" ? label : "editor";
    return new Worker(new URL(`${name}.worker.js`, import.meta.url));
  },
};
