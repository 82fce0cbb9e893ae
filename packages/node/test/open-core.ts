import { createServer } from "node:http";
import type { KitBackend, OpenBackend } from "@pawl/adapter-conformance";
import { readConfig, startCore } from "@pawl/core";
import { defaultPolicy, type Policy } from "@pawl/engine";
import { forwardTo } from "./adapters/forward.js";
import { served } from "./adapters/served.js";

/** A core on memory, behind a server that answers 503 while the core is to be down. */
export const openCore: OpenBackend = async ({ identityProviders = [], ...rules }, clock) => {
  const policy = { ...defaultPolicy, ...(rules as Partial<Policy>), enableAntiCsrf: false };
  const defaults = readConfig({ env: {}, cwd: import.meta.dirname });
  const own = { host: "127.0.0.1", port: 0, storage: "memory:", policy, identityProviders, logLevel: "none" } as const;
  const config = { ...defaults, ...own };
  const core = await startCore(config, { clock });
  const front = await served(
    createServer((req, res) => {
      if (backend.isDown) res.writeHead(503).end();
      else void Promise.resolve(backend.delay?.()).then(() => forwardTo(core.address.port, req, res));
    }),
  );
  const backend: KitBackend = {
    options: { core: [front.origin] },
    storage: core.engine.storage,
    isDown: false,
    async close() {
      await front.close();
      await core.close();
    },
  };
  return backend;
};
