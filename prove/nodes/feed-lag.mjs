// How long until every node and every process of an application refuses a session that was revoked on another node.
import { setTimeout as pause } from "node:timers/promises";
import { createPawl, Error as SessionError } from "@pawl/supertokens";
import { openEngine } from "@pawl/engine/host";
import { quantile } from "../quantile.mjs";
import { startNodes } from "./core-nodes.mjs";
import { openStore } from "./stores.mjs";

const LIMIT_MS = 1000;
const PATIENCE_MS = 20_000;

/**
 * Polls a verifier until it refuses.
 * @param {() => Promise<boolean>} verifies
 * @param {number} from
 * @returns {Promise<number>} the milliseconds since `from`
 */
const refusal = async (verifies, from) => {
  while (await verifies()) {
    if (performance.now() - from > PATIENCE_MS) return Infinity;
    await pause(1);
  }
  return performance.now() - from;
};

/** @type {(name: import("./stores.mjs").StoreName) => import("../run.mjs").Run} */
export const feedLag = (name) => async (count, _seed, progress) => {
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { count: 2, skewed: name !== "sqlite" });
  const [first, second] = /** @type {[string, string]} */ (nodes.urls());
  const sdk = createPawl({ core: [second], cookies: { secure: false, sameSite: "lax" } });
  const embedded = await openEngine({ storage: store.url, masterKey: nodes.masterKey });
  const post = async (/** @type {string} */ path, /** @type {object} */ body) => {
    const response = await fetch(first + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return /** @type {any} */ (await response.json());
  };
  const verifiesSdk = async (/** @type {string} */ token) => {
    try {
      await sdk.tokens.getSession(token, undefined, false, "any");
      return true;
    } catch (error) {
      if (!SessionError.isErrorFromAuth(error) || error.errType === SessionError.GENERAL_ERROR) throw error;
      return false;
    }
  };
  /** @type {[number[], number[]]} */
  const [inProcess, ofNode] = [[], []];
  try {
    for (let round = 0; round < count; round += 1) {
      const { session, accessToken } = await post("/v1/sessions", { userId: `user-${round}` });
      const { token } = accessToken;
      const verifiesEmbedded = async () =>
        (await embedded.engine.verifyAccessToken({ accessToken: token })).kind === "valid";
      if (!(await verifiesSdk(token)) || !(await verifiesEmbedded())) throw new Error("a fresh token is refused");
      await post("/v1/sessions/revoke", { handles: [session.handle] });
      const acknowledged = performance.now();
      const [refusedHere, refusedThere] = await Promise.all([
        refusal(verifiesEmbedded, acknowledged),
        refusal(() => verifiesSdk(token), acknowledged),
      ]);
      inProcess.push(refusedHere);
      ofNode.push(refusedThere);
      progress(round);
    }
    const lags = {
      "another process of the application, in process": inProcess,
      "an application of another node": ofNode,
    };
    const told = Object.entries(lags).map(([who, measured]) => {
      const [p50, p99, most] = [0.5, 0.99, 1].map((part) => Math.round(quantile(measured, part)));
      return `${who}: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`;
    });
    const all = [...inProcess, ...ofNode];
    const late = all.filter((lag) => lag > LIMIT_MS).length;
    const never = all.filter((lag) => lag === Infinity).length;
    return { count, failures: never, note: `from acknowledged to refused; ${told.join("; ")}; ${late} over a second` };
  } finally {
    await sdk.close();
    await embedded.close();
    await nodes.stop();
    await store.close();
  }
};
