// A core in a process of its own.
import { readConfig, startCore } from "@pawl/core";
import { answerCalls } from "../worker.mjs";

/** @type {Awaited<ReturnType<typeof startCore>> | undefined} */
let core;

answerCalls(
  {
    open: async (/** @type {string} */ storage) => {
      const config = readConfig({ env: {}, cwd: import.meta.dirname });
      core = await startCore({ ...config, host: "127.0.0.1", port: 0, storage, logLevel: "none" });
      return core.address.port;
    },
  },
  () => core?.close(),
);
