// Sessions of another system that go on here, as `operations.mjs` has it.
import { alice, DAY, equal, goesOn, handleOf, MINUTE, refreshed } from "./client.mjs";
import { millis } from "@pawl/storage";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("./client.mjs").Issued} Issued
 */

const former = (/** @type {Stage} */ stage) =>
  /** @type {const} */ ({
    userId: alice,
    former: "the cookie from before",
    until: millis(stage.clock.time + 90 * DAY),
  });

const adopt = (/** @type {Stage} */ stage) => stage.engine.adoptSession({ ...former(stage), form: "pawl" });
const refuse = (/** @type {Stage} */ stage) => stage.engine.refuseAdoption(former(stage), { reason: "logout" });

const adopted = async (/** @type {Stage} */ stage) => {
  const outcome = await adopt(stage);
  if (outcome.kind !== "refreshed") throw new Error(`an adoption is answered ${JSON.stringify(outcome)}`);
  return outcome;
};

/** Whoever failed comes back with the cookie, now or days later, and goes on in the one session that there is. */
const goesOnAdopted = async (/** @type {Stage} */ stage, later = 0) => {
  stage.clock.time += later;
  const one = await adopted(stage);
  equal(handleOf(await adopted(stage)), handleOf(one), "the session of the second answer");
  equal(await stage.live(), 1, "live sessions");
  await goesOn(stage, one);
  equal(await stage.live(), 1, "live sessions");
};

const isRefused = async (/** @type {Stage} */ stage) => {
  equal((await adopt(stage)).kind, "unauthorised", "the adoption of a session that was ended");
  equal(await stage.live(), 0, "live sessions");
};

/** @type {Record<string, import("./operations.mjs").Operation<any>>} */
export const adoptions = {
  // The salt of the store, and the session.
  adopt: {
    prepare: async () => undefined,
    act: adopt,
    answers: ["refreshed"],
    commits: 2,
    after: (stage) => goesOnAdopted(stage),
  },
  "adopt, tried again days later": {
    prepare: async () => undefined,
    act: adopt,
    answers: ["refreshed"],
    commits: 2,
    later: 3 * DAY,
    after: (stage) => goesOnAdopted(stage, 3 * DAY),
  },
  "adopt again, when the first answer was lost": {
    async prepare(stage) {
      await adopted(stage);
      stage.clock.time += 2 * MINUTE;
    },
    act: adopt,
    answers: ["refreshed"],
    after: (stage) => goesOnAdopted(stage),
  },
  "adopt again, by a cookie that has aged": {
    async prepare(stage) {
      let held = await adopted(stage);
      for (let round = 0; round < 3; round += 1) {
        stage.clock.time += 2 * DAY;
        held = await refreshed(stage, held);
      }
      return held;
    },
    policy: { refreshTokenValidity: millis(5 * DAY) },
    act: adopt,
    answers: ["unauthorised"],
    async after(stage, held) {
      equal((await adopt(stage)).kind, "unauthorised", "an adoption by a cookie that has aged");
      await goesOn(stage, held);
      equal(await stage.live(), 1, "live sessions");
    },
  },
  "adopt, of one that was ended and swept": {
    async prepare(stage) {
      const held = await adopted(stage);
      await stage.engine.revokeSessions([handleOf(held)], { reason: "logout" });
      const row = await stage.real.getSession(/** @type {never} */ (handleOf(held)));
      await stage.real.deleteExpired(millis(row?.expiresAt ?? 0), 1000);
    },
    policy: { refreshTokenValidity: millis(5 * DAY) },
    act: adopt,
    answers: ["unauthorised"],
    after: isRefused,
  },
  "refuse an adoption": {
    prepare: async () => undefined,
    act: refuse,
    commits: 2,
    after: async (stage) => (await refuse(stage), isRefused(stage)),
  },
  "refuse an adoption, of a live one": {
    prepare: adopted,
    act: refuse,
    after: async (stage) => (await refuse(stage), isRefused(stage)),
  },
};
