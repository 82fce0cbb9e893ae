// Sessions bound to a key of the browser's device, as `operations.mjs` has it.
import { createDevice } from "../device-binding/device.mjs";
import { equal, goesOn, handleOf, login, MINUTE, refresh } from "./client.mjs";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("./client.mjs").Issued} Issued
 * @typedef {import("./operations.mjs").Operation<Issued>} Operation
 */

const device = createDevice();

const bindable = (/** @type {Stage} */ stage) => login(stage, { bindable: true });

const register = (/** @type {Stage} */ { engine }, /** @type {Issued} */ held) =>
  engine.bindSession({
    refreshTokens: [held.refreshToken.token],
    proof: device.registration(held.registration ?? ""),
    form: "pawl",
  });

/** A session that is bound, as its browser holds it. @param {Stage} stage @param {Issued} held @returns {Promise<Issued>} */
const bound = async (stage, held) => {
  const outcome = await register(stage, held);
  if (outcome.kind !== "bound" || outcome.issued === undefined)
    throw new Error(`a registration is answered ${JSON.stringify(outcome)}`);
  return outcome.issued;
};

const refreshProven = (/** @type {Stage} */ { engine }, /** @type {Issued} */ held) =>
  engine.refreshSession({
    refreshToken: held.refreshToken.token,
    boundSession: handleOf(held),
    proof: device.proof(engine.challengeFor(handleOf(held))),
    form: "pawl",
  });

/** The life of a browser that holds the key goes on. @param {Stage} stage @param {Issued} held */
const goesOnBound = async (stage, held) => {
  for (let turn = 0; turn < 3; turn += 1) {
    const outcome = await refreshProven(stage, held);
    if (outcome.kind !== "refreshed") throw new Error(`a proven refresh is answered ${JSON.stringify(outcome)}`);
    Object.assign(held, outcome);
    stage.clock.time += 2 * MINUTE;
  }
};

/** @param {number} age of the binding, ms @param {Partial<Operation>} [more] @returns {Operation} */
const provenRefresh = (age, more = {}) => ({
  policy: { deviceBinding: "prefer" },
  async prepare(stage) {
    const held = await bound(stage, await bindable(stage));
    stage.clock.time += age;
    return held;
  },
  act: refreshProven,
  answers: ["refreshed"],
  after: goesOnBound,
  ...more,
});

/** @type {Record<string, Operation>} */
export const bindingOperations = {
  "bind to a device": {
    policy: { deviceBinding: "prefer" },
    prepare: bindable,
    act: register,
    answers: ["bound"],
    async after(stage, held) {
      await goesOnBound(stage, await bound(stage, held));
      equal((await stage.events("device_bound")).length, 1, "events");
    },
  },
  "refresh, bound": provenRefresh(2 * MINUTE),
  // What the browser has proved is noted, and that it was there.
  "refresh, bound just now": provenRefresh(0, { commits: 2 }),
  "refresh, bound, by somebody without the key": provenRefresh(2 * MINUTE, {
    async prepare(stage) {
      const held = await bound(stage, await bindable(stage));
      await goesOnBound(stage, held);
      return held;
    },
    act: refresh,
    answers: ["unproven"],
    async after(stage, held) {
      equal((await refresh(stage, held)).kind, "unproven", "the answer");
      equal((await stage.events("unproven_refresh")).length, 1, "events");
      await goesOnBound(stage, held);
    },
  }),
  "refresh, the answer to the registration lost": provenRefresh(0, {
    async prepare(stage) {
      const held = await bindable(stage);
      await bound(stage, held);
      stage.clock.time += 2 * MINUTE;
      return held;
    },
    act: refresh,
    // The key is forgotten, and then it is an ordinary refresh.
    commits: 2,
    async after(stage, held) {
      await goesOn(stage, held);
      equal((await stage.events("device_unbound")).length, 1, "events");
    },
  }),
};
