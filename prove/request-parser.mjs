// Reads requests as the core does, and goes no further: the engine behind it answers nothing.
import { defaultPolicy } from "@pawl/engine";
import { createCdi1Dialect } from "../packages/core/dist/dialects/cdi-1/cdi-1-dialect.js";
import { createCdiDialect } from "../packages/core/dist/dialects/cdi/cdi-dialect.js";
import { createV1Dialect } from "../packages/core/dist/dialects/v1/v1-dialect.js";
import { createRouter, splitTarget } from "../packages/core/dist/server/request-target.js";
import { proofConfig } from "./core.mjs";

const refuse = () => {
  throw new Error("goes no further");
};

/** An engine that has a policy, and refuses to do anything. */
const hollowEngine = /** @type {import("@pawl/engine").SessionEngine} */ (
  new Proxy({}, { get: (_, name) => (name === "policy" ? defaultPolicy : refuse) })
);

/** Reads target, headers, query and JSON body of a request by the dialect that owns its path. */
export const createRequestParser = () => {
  const parts = {
    engine: hollowEngine,
    webhooks: /** @type {never} */ (/** @type {unknown} */ (hollowEngine)),
    config: proofConfig,
    random: { bytes: (/** @type {number} */ size) => Buffer.alloc(size) },
  };
  const route = createRouter([
    createV1Dialect({ ...parts, nodes: { list: () => Promise.resolve([]) }, version: "0", heartbeat: 15_000 }),
    createCdiDialect(parts),
    createCdi1Dialect({ ...parts, processId: 1 }),
  ]);
  /** @param {{ method: string, path: string, headers: Record<string, string>, body: string | null }} request */
  return async ({ method, path: target, headers, body }) => {
    const { path, query } = splitTarget(target);
    const { operation } = route(method, path);
    return operation?.handle({ method, path, query, headers, body: body ?? "" });
  };
};
