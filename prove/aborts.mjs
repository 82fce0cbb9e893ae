// Requests cut at any moment on shared connections: no answer may go to somebody else.
import { Pool } from "undici";
import { startProofCore } from "./core.mjs";
import { userId } from "./identifiers.mjs";
import { createRandom } from "./random.mjs";

const LANES = 32;

/** @type {import("./proofs.mjs").Run} */
export const aborts = async (count, seed, progress) => {
  const core = await startProofCore();
  const pool = new Pool(core.url, { connections: 4 });
  const { engine } = core;
  const users = Array.from({ length: 50 }, (_, number) => userId(`user-${number}`));
  const sessions = await Promise.all(users.map((user) => engine.createSession({ userId: user })));
  let cut = 0;
  let answered = 0;
  let failures = 0;
  let done = 0;

  const lane = async (/** @type {import("./random.mjs").Random} */ random) => {
    while (done < count) {
      done += 1;
      const { session, accessToken } = random.pick(sessions);
      const asked = random.chance(0.5)
        ? { method: "GET", path: `/v1/sessions/${session.handle}` }
        : { method: "POST", path: "/v1/sessions/verify", body: JSON.stringify({ accessToken: accessToken.token }) };
      const abort = new AbortController();
      // Some before the request is written, some while it is under way, some when the answer is there.
      const cutAfter = random.below(8);
      if (cutAfter === 0) abort.abort();
      else if (cutAfter < 4) setImmediate(() => abort.abort());
      else if (cutAfter < 6) setTimeout(() => abort.abort(), random.below(5));
      try {
        const answer = await pool.request({
          ...asked,
          headers: { "content-type": "application/json" },
          signal: abort.signal,
        });
        const { handle, session: verified } = /** @type {any} */ (await answer.body.json());
        answered += 1;
        if ((handle ?? verified?.handle) !== session.handle) failures += 1;
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") cut += 1;
        else failures += 1;
      }
      if (done % 1000 === 0) progress(done);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(createRandom(seed + index))));
  await pool.destroy();
  await core.close();
  return {
    count: done,
    failures,
    note: `requests cut at any moment: ${cut} cut, ${answered} answered with the session that was asked for`,
  };
};
