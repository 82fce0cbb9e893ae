// Stepping up, acting for another user, and changes of what a session carries, as `operations.mjs` has it.
import { userId } from "../identifiers.mjs";
import { equal, goesOn, handleOf, MINUTE, refresh, refreshed, settled } from "./client.mjs";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("./client.mjs").Issued} Issued
 * @typedef {import("./operations.mjs").Operation<Issued>} Operation
 */

const bob = userId("bob");
const tokenOf = (/** @type {Issued} */ held) => held.accessToken.token;

const actAsBob = (/** @type {Stage} */ { engine }, /** @type {Issued} */ held) =>
  engine.actAs(tokenOf(held), { userId: bob, payload: { role: "user" }, reason: "ticket" });

/** A session that acts for Bob, with an access token that says so. @returns {Promise<Issued>} */
const acting = async (/** @type {Stage} */ stage) => {
  const held = await settled(stage);
  await actAsBob(stage, held);
  return refreshed(stage, held);
};

/** @param {Stage} stage @param {Issued} held @param {string} user */
const speaksFor = async (stage, held, user) => {
  await goesOn(stage, held);
  equal(held.session.userId, user, "whom the session speaks for");
};
const told = async (/** @type {Stage} */ stage) => (await stage.events("acting_started", "acting_ended")).length;

/** @type {Record<string, Operation>} */
export const actingOperations = {
  "step up": {
    prepare: settled,
    act: ({ engine }, held) => engine.stepUp(tokenOf(held), { methods: ["hwk"] }),
    answers: ["regenerated"],
    async after(stage, held) {
      const { kind } = await stage.engine.stepUp(tokenOf(held), { methods: ["hwk"] });
      equal(kind, "regenerated", "stepping up again");
      await goesOn(stage, held);
      equal(held.session.auth?.methods, ["hwk"], "how the user authenticated");
    },
  },
  "act for a user": {
    prepare: settled,
    act: actAsBob,
    answers: ["regenerated"],
    async after(stage, held) {
      const again = await actAsBob(stage, held);
      // Where the first one was done, its answer alone was lost: a refresh tells.
      if (again.kind !== "regenerated") equal(again.kind === "refused" && again.why, "acting", "acting again");
      equal(await told(stage), 2, "events of acting");
      await speaksFor(stage, held, bob);
    },
  },
  "act for oneself again": {
    prepare: acting,
    act: ({ engine }, held) => engine.actAsSelf(tokenOf(held)),
    answers: ["regenerated"],
    async after(stage, held) {
      equal((await stage.engine.actAsSelf(tokenOf(held))).kind, "regenerated", "ending it again");
      equal(await told(stage), 4, "events of acting");
      await speaksFor(stage, held, "alice");
    },
  },
  "refresh, acting has run out": {
    prepare: async (stage) => {
      const held = await acting(stage);
      stage.clock.time += 16 * MINUTE;
      return held;
    },
    act: refresh,
    // The rotation, and that acting has ended.
    commits: 2,
    answers: ["refreshed"],
    async after(stage, held) {
      await speaksFor(stage, held, "alice");
      equal(await told(stage), 4, "events of acting");
    },
  },
  "regenerate while acting": {
    prepare: acting,
    act: ({ engine }, held) => engine.regenerateAccessToken(tokenOf(held), { role: "guest" }),
    answers: ["regenerated"],
    async after(stage, held) {
      const { kind } = await stage.engine.regenerateAccessToken(tokenOf(held), { role: "guest" });
      equal(kind, "regenerated", "regenerating again");
      await speaksFor(stage, held, bob);
      equal(held.session.payload, { role: "guest" }, "the payload");
    },
  },
  "change the payload of who acts": {
    prepare: acting,
    act: ({ engine }, held) => engine.updatePayload(handleOf(held), { role: "none" }, { form: "pawl" }),
    async after(stage, held) {
      const changed = await stage.engine.updatePayload(handleOf(held), { role: "none" }, { form: "pawl" });
      equal(changed?.handle, handleOf(held), "changing it again");
      equal(await told(stage), 4, "events of acting");
      await speaksFor(stage, held, "alice");
      equal(held.session.payload, { role: "none" }, "the payload");
    },
  },
  "update the data of the user who is acted for": {
    prepare: acting,
    act: ({ engine }, held) => engine.updateSessionData(handleOf(held), { cart: 1 }, { as: bob }),
    async after(stage, held) {
      const isUpdated = await stage.engine.updateSessionData(handleOf(held), { cart: 1 }, { as: bob });
      equal(isUpdated, true, "updating again");
      equal((await stage.engine.getSession(handleOf(held), { as: bob }))?.data, { cart: 1 }, "the data");
      await speaksFor(stage, held, bob);
    },
  },
};
