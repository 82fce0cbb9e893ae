import { randomBytes } from "node:crypto";
import { readConfig, startCore } from "@pawl/core";
import { defaultPolicy } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { requestText } from "../load-plan.mjs";

/**
 * A core as an operator runs it, but for the window: 0, so that every refresh is a rotation.
 * @param {{ directory: string, name: string, storage?: string, algorithm?: "ES256" | "RS256" }} what on SQLite, and RS256
 *   for the CDI dialects, unless given
 */
export const startPawlCore = async ({ directory, name, storage, algorithm = "RS256" }) => {
  const core = await startCore({
    ...readConfig({ env: {}, cwd: directory }),
    host: "127.0.0.1",
    port: 0,
    storage: storage ?? `sqlite:${directory}/core-${name}.db`,
    masterKey: randomBytes(32).toString("base64"),
    policy: { ...defaultPolicy, enableAntiCsrf: false, reuseWindow: millis(0) },
    cdiSigningAlgorithm: algorithm,
    cdi1: { enabled: algorithm === "RS256", withoutKey: false, keyKind: "static" },
    infoLogPath: `${directory}/core-${name}.log`,
    errorLogPath: `${directory}/core-${name}.log`,
  });
  return { port: core.address.port, close: () => core.close() };
};

const PATH = "/v1/sessions";
const creates = (/** @type {number} */ count) =>
  Array.from({ length: count }, (_, user) => {
    const body = JSON.stringify({ userId: `user-${user}`, payload: { role: "member" } });
    return requestText({ method: "POST", path: PATH, body });
  });

/** @param {{ directory: string, sessions: number }} settings */
export const refresh = async ({ directory, sessions }) => ({
  ...(await startPawlCore({ directory, name: "refresh" })),
  plan: { kind: "refreshes", creates: creates(sessions), path: `${PATH}/refresh` },
});

/**
 * A core for an SDK that speaks CDI 1.0.
 * @param {{ directory: string }} settings
 */
export const cdi1 = async ({ directory }) => ({
  ...(await startPawlCore({ directory, name: "cdi-1" })),
  plan: { kind: "fixed", requests: [] },
});

/** @param {{ directory: string }} settings */
export const create = async ({ directory }) => ({
  ...(await startPawlCore({ directory, name: "create" })),
  plan: { kind: "fixed", requests: creates(1000) },
});
