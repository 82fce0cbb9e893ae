import { createServer } from "node:http";
import type { KitBackend, OpenBackend } from "@pawl/adapter-conformance";
import { readConfig, startCore } from "@pawl/core";
import { defaultPolicy } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { forwardTo } from "./adapters/forward.js";
import { served } from "./adapters/served.js";

/** A core on memory, behind a server that answers 503 while the core is to be down. */
export const openCore: OpenBackend = async ({ idleTimeout, maxSessionsPerUser }, clock) => {
  const policy = {
    ...defaultPolicy,
    maxSessionsPerUser,
    idleTimeout: idleTimeout === undefined ? undefined : millis(idleTimeout),
    enableAntiCsrf: false,
  };
  const defaults = readConfig({ env: {}, cwd: import.meta.dirname });
  const config = { ...defaults, host: "127.0.0.1", port: 0, storage: "memory:", policy, logLevel: "none" } as const;
  const core = await startCore(config, { clock });
  const front = await served(
    createServer((req, res) => {
      if (backend.isDown) res.writeHead(503).end();
      else void Promise.resolve(backend.delay?.()).then(() => forwardTo(core.address.port, req, res));
    }),
  );
  const backend: KitBackend = {
    options: { core: [front.origin] },
    isDown: false,
    async close() {
      await front.close();
      await core.close();
    },
  };
  return backend;
};
