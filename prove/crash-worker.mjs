// Creates, refreshes and revokes without end, and tells what was acknowledged. Is killed from outside.
import { openEngine } from "@pawl/engine/host";

const [, , url, revocationLog] = process.argv;
const { engine } = await openEngine({ storage: url, revocationLog, policy: { reuseWindow: 0 } });

const life = async (lane) => {
  for (let round = 0; ; round += 1) {
    let { session, refreshToken } = await engine.createSession({ userId: `${lane}-${round}` });
    const { handle } = session;
    process.send({ kind: "created", handle, refreshToken: refreshToken.token });
    for (let turn = 0; turn < 3; turn += 1) {
      const refreshed = await engine.refreshSession({ refreshToken: refreshToken.token });
      if (refreshed.kind !== "refreshed") throw new Error(`refresh gave ${refreshed.kind}`);
      ({ refreshToken } = refreshed);
      process.send({ kind: "refreshed", handle, refreshToken: refreshToken.token });
    }
    if (round % 2 === 0) {
      await engine.revokeSessions([handle], { reason: "logout" });
      process.send({ kind: "revoked", handle });
    }
  }
};
for (let lane = 0; lane < 16; lane += 1) void life(lane);
