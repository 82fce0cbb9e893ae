// How long until every node and every process of an application refuses a session that was revoked on another node.
import { createPawl } from "@pawl/node";
import { openEngine } from "@pawl/engine/host";
import { startNodes } from "./core-nodes.mjs";
import { openStore } from "./stores.mjs";

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const LIMIT_MS = 1000;
const PATIENCE_MS = 20_000;

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

/** Polls a verifier until it refuses; gives the milliseconds since `from`. */
const refusal = async (verifies, from) => {
  while (await verifies()) {
    if (performance.now() - from > PATIENCE_MS) return Infinity;
    await pause(1);
  }
  return performance.now() - from;
};

/** @param {string} name a storage */
export const feedLag = (name) => async (count, _seed, progress) => {
  const store = await openStore(name);
  const nodes = await startNodes(store.url, { count: 2, skewed: name !== "sqlite" });
  const sdk = createPawl({ core: [nodes.urls()[1]], cookies: { secure: false, sameSite: "lax" } });
  const embedded = await openEngine({ storage: store.url, masterKey: nodes.masterKey });
  const post = async (path, body) => {
    const response = await fetch(nodes.urls()[0] + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  };
  const verifiesSdk = async (token) => {
    try {
      await sdk.tokens.getSession(token, undefined, false, "any");
      return true;
    } catch (error) {
      if (error.errType === 2000 || error.errType === 3000) return false;
      throw error;
    }
  };
  const lags = { "another process of the application, in process": [], "an application of another node": [] };
  try {
    for (let round = 0; round < count; round += 1) {
      const { session, accessToken } = await post("/v1/sessions", { userId: `user-${round}` });
      const { token } = accessToken;
      const verifiesEmbedded = async () =>
        (await embedded.engine.verifyAccessToken({ accessToken: token })).kind === "valid";
      if (!(await verifiesSdk(token)) || !(await verifiesEmbedded())) throw new Error("a fresh token is refused");
      await post("/v1/sessions/revoke", { handles: [session.handle] });
      const acknowledged = performance.now();
      const [first, second] = await Promise.all([
        refusal(verifiesEmbedded, acknowledged),
        refusal(() => verifiesSdk(token), acknowledged),
      ]);
      const [inProcess, ofNode] = Object.values(lags);
      inProcess.push(first);
      ofNode.push(second);
      progress(round);
    }
    const told = Object.entries(lags).map(([who, measured]) => {
      const sorted = measured.toSorted((a, b) => a - b);
      const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)].map(Math.round);
      return `${who}: p50 ${p50} ms, p99 ${p99} ms, most ${Math.round(sorted.at(-1))} ms`;
    });
    const all = Object.values(lags).flat();
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
