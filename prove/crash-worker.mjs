// Creates, refreshes and revokes without end, and tells what was acknowledged. Is killed from outside.
import { openEngine } from "@pawl/engine/host";
import { millis } from "@pawl/storage";
import { userId } from "./identifiers.mjs";

const [url = "", revocationLog = ""] = process.argv.slice(2);
const { engine } = await openEngine({ storage: url, revocationLog, policy: { reuseWindow: millis(0) } });
const tell = (/** @type {object} */ acknowledged) => process.send?.(acknowledged);

const life = async (/** @type {number} */ lane) => {
  for (let round = 0; ; round += 1) {
    let { session, refreshToken } = await engine.createSession({ userId: userId(`${lane}-${round}`) });
    const { handle } = session;
    tell({ kind: "created", handle, refreshToken: refreshToken.token });
    for (let turn = 0; turn < 3; turn += 1) {
      const refreshed = await engine.refreshSession({ refreshToken: refreshToken.token });
      if (refreshed.kind !== "refreshed") throw new Error(`refresh gave ${refreshed.kind}`);
      ({ refreshToken } = refreshed);
      tell({ kind: "refreshed", handle, refreshToken: refreshToken.token });
    }
    if (round % 2 === 0) {
      await engine.revokeSessions([handle], { reason: "logout" });
      tell({ kind: "revoked", handle });
    }
  }
};
for (let lane = 0; lane < 16; lane += 1) void life(lane);
