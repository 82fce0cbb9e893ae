// How long until every node and every process of an application refuses the tokens of a session that was revoked, or whose
// payload was changed, on another node.
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

/** @type {(name: import("./stores.mjs").StoreName) => import("../proofs.mjs").Run} */
export const feedLag = (name) => async (count, _seed, progress) => {
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { count: 2, skewed: name !== "sqlite" });
  const [first, second] = /** @type {[string, string]} */ (nodes.urls());
  const sdk = createPawl({ core: [second], cookies: { secure: false, sameSite: "lax" } });
  const embedded = await openEngine({ storage: store.url, masterKey: nodes.masterKey });
  const call = async (/** @type {string} */ method, /** @type {string} */ path, /** @type {object} */ body) => {
    const sent = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(first + path, sent);
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
  const lags = {
    revocation: { inProcess: /** @type {number[]} */ ([]), ofNode: /** @type {number[]} */ ([]) },
    change: { inProcess: /** @type {number[]} */ ([]), ofNode: /** @type {number[]} */ ([]) },
  };
  const measure = async (
    /** @type {keyof typeof lags} */ kind,
    /** @type {string} */ token,
    /** @type {() => Promise<unknown>} */ act,
  ) => {
    const verifiesEmbedded = async () =>
      (await embedded.engine.verifyAccessToken({ accessToken: token })).kind === "valid";
    if (!(await verifiesSdk(token)) || !(await verifiesEmbedded())) throw new Error("a fresh token is refused");
    await act();
    const acknowledged = performance.now();
    const [inProcess, ofNode] = await Promise.all([
      refusal(verifiesEmbedded, acknowledged),
      refusal(() => verifiesSdk(token), acknowledged),
    ]);
    lags[kind].inProcess.push(inProcess);
    lags[kind].ofNode.push(ofNode);
  };
  try {
    for (let round = 0; round < count; round += 1) {
      const { session, ...login } = await call("POST", "/v1/sessions", { userId: `user-${round}` });
      const { handle } = session;
      const payload = { role: "user" };
      await measure("change", login.accessToken.token, () =>
        call("PUT", `/v1/sessions/${handle}/payload`, { payload }),
      );
      const refreshToken = login.refreshToken.token;
      const refreshed = await call("POST", "/v1/sessions/refresh", { refreshToken });
      await measure("revocation", refreshed.accessToken.token, () =>
        call("POST", "/v1/sessions/revoke", { handles: [handle] }),
      );
      progress(round);
    }
    const quantiles = (/** @type {readonly number[]} */ measured) => {
      const [p50, p99, most] = [0.5, 0.99, 1].map((part) => Math.round(quantile(measured, part)));
      return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`;
    };
    const told = Object.entries(lags).map(
      ([kind, { inProcess, ofNode }]) =>
        `${kind}: another process of the application, in process: ${quantiles(inProcess)}; ` +
        `an application of another node: ${quantiles(ofNode)}`,
    );
    const all = Object.values(lags).flatMap(({ inProcess, ofNode }) => [...inProcess, ...ofNode]);
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
