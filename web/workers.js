// Monaco asks for its workers by label. They are files of their own, as the page's policy allows no blob: addresses.
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(WORKERS[label] ?? WORKERS.editor),
};
