// The ways to end sessions, as `operations.mjs` has it.
import { tenantId, userId } from "../identifiers.mjs";
import { alice, equal, goesOn, handleOf, isDead, login, settled } from "./client.mjs";
import { answerLost } from "./faulty-line.mjs";

const t1 = tenantId("t1");

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {"one" | "two" | "elsewhere" | "bystander"} Name
 * @typedef {Record<Name, import("./client.mjs").Issued>} Crowd
 * @typedef {import("./operations.mjs").Operation<Crowd>} Operation
 */

/**
 * Ends sessions; `dead` and `alive` name those that `prepare` gives and that are, or are not, to be ended.
 * @param {Omit<Operation, "after" | "prepare"> & { prepare?: Operation["prepare"], dead: readonly Name[], alive?: readonly Name[] }} what
 * @returns {Operation}
 */
const revocation = ({ prepare = crowd, act, dead, alive = [], ...more }) => ({
  prepare,
  act,
  async after(stage, held) {
    await act(stage, held);
    equal(await stage.unlogged(), 0, "acknowledged ends that are not in the log");
    for (const name of dead) await isDead(stage, held[name]);
    for (const name of alive) await goesOn(stage, held[name]);
    const ended = await stage.events("session_ended");
    equal(
      ended.map(({ count }) => count),
      dead.map(() => 1),
      "ends",
    );
  },
  ...more,
});

/** @returns {Promise<Crowd>} */
const crowd = async (/** @type {Stage} */ stage) => ({
  one: await settled(stage),
  two: await login(stage),
  elsewhere: await login(stage, { tenantId: t1 }),
  bystander: await login(stage, { userId: userId("bob") }),
});

/** Some sessions of a user, one of which was ended by a call whose answer got lost. */
const crowdWithEnd = async (/** @type {Stage} */ stage) => {
  const sessions = await crowd(stage);
  await stage.line.watch(() => stage.engine.revokeSessions([handleOf(sessions.two)]), { fault: answerLost, at: 1 });
  return sessions;
};

export const revocations = {
  "revoke one, after an end that nobody heard of": revocation({
    prepare: crowdWithEnd,
    act: (stage, { one }) => stage.engine.revokeSessions([handleOf(one)]),
    dead: ["one", "two"],
    alive: ["elsewhere", "bystander"],
  }),
  "revoke one": revocation({
    act: (stage, { one }) => stage.engine.revokeSessions([handleOf(one)], { reason: "logout" }),
    dead: ["one"],
    alive: ["two", "elsewhere", "bystander"],
  }),
  "revoke many": revocation({
    act: (stage, { one, two }) => stage.engine.revokeSessions([one, two].map(handleOf), { reason: "logout" }),
    dead: ["one", "two"],
    alive: ["elsewhere", "bystander"],
  }),
  "revoke many of two tenants": revocation({
    act: (stage, { one, elsewhere }) => stage.engine.revokeSessions([one, elsewhere].map(handleOf)),
    dead: ["one", "elsewhere"],
    alive: ["two", "bystander"],
    // Each tenant as a whole.
    commits: 2,
  }),
  "revoke all of a user": revocation({
    act: (stage) => stage.engine.revokeAllForUser({ userId: alice }, { reason: "logout" }),
    dead: ["one", "two"],
    alive: ["elsewhere", "bystander"],
  }),
  "revoke all of a user but one": revocation({
    act: (stage, { two }) => stage.engine.revokeAllForUser({ userId: alice, except: handleOf(two) }),
    dead: ["one"],
    alive: ["two", "elsewhere", "bystander"],
  }),
  "revoke all of a user in every tenant": revocation({
    act: (stage) => stage.engine.revokeAllForUser({ userId: alice, acrossTenants: true }),
    dead: ["one", "two", "elsewhere"],
    alive: ["bystander"],
    commits: 2,
  }),
  "revoke a tenant": revocation({
    act: (stage) => stage.engine.revokeTenant(t1),
    dead: ["elsewhere"],
    alive: ["one", "two", "bystander"],
  }),
  "remove a tenant": revocation({
    prepare: async (stage) => {
      await stage.engine.tenants.put(t1, {});
      return crowd(stage);
    },
    act: (stage) => stage.engine.tenants.remove(t1),
    dead: ["elsewhere"],
    alive: ["one", "two", "bystander"],
    commits: 2,
  }),
};
