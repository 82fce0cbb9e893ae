// The operations of a session, each with what goes before it and what has to hold when it has failed: an honest client that
// tries again with what it has gets its way, nobody is called a thief, and what was ended stays dead.
import { refused } from "./faulty-line.mjs";
import { parseMasterKeys, removeMasterKey, rotateMasterKey, systemRandom } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { sessionId, tenantId } from "../identifiers.mjs";
import {
  alice,
  between,
  DAY,
  equal,
  goesOn,
  handleOf,
  isDead,
  login,
  MINUTE,
  refresh,
  refreshed,
  SECOND,
  settled,
  use,
} from "./client.mjs";
import { actingOperations } from "./acting.mjs";
import { adoptions } from "./adoption.mjs";
import { bindingOperations } from "./binding.mjs";
import { byItsChild, byNewestToken, importedThefts } from "./imported.mjs";
import { revocations } from "./revocations.mjs";
import { masterKeys } from "./stage.mjs";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("./client.mjs").Issued} Issued
 */

/**
 * An operation. `prepare` gives what the client holds; `act` is what fails; `after` is what an honest client does then, in
 * so many tries, and throws where it is not answered honestly.
 * @template [Held=any]
 * @typedef {import("./stage.mjs").StageOptions & {
 *   prepare: (stage: Stage) => Promise<Held>,
 *   act: (stage: Stage, held: Held) => Promise<any>,
 *   after: (stage: Stage, held: Held, tries: number) => Promise<unknown>,
 *   answers?: readonly string[],
 *   commits?: number,
 *   isTheft?: boolean,
 *   later?: number,
 *   fastForwards?: number,
 * }} Operation `answers` are the kinds that a whole answer may have, `commits` how many steps it may be seen to take (1 unless
 *   given), `hasLog` whether ends are written to a revocation log too, `later` when a client that failed comes back
 */

/**
 * A refresh, of what `prepare` gives; afterwards the client goes on with the token it presented, now and days later.
 * @param {(stage: Stage) => Promise<Issued>} prepare
 * @param {Partial<Operation<Issued>>} [more]
 * @returns {Operation<Issued>}
 */
const refreshes = (prepare, more = {}) => ({
  prepare,
  act: refresh,
  answers: ["refreshed"],
  async after(stage, held) {
    stage.clock.time += more.later ?? 0;
    await goesOn(stage, held);
    if (more.fastForwards !== undefined)
      equal(
        (await stage.events("fast_forward")).map(({ count }) => count),
        [1],
        "fast forwards",
      );
  },
  ...more,
});

const ages = { "": 0, ", tried again a minute later": MINUTE, ", tried again days later": 3 * DAY };
/** @type {(name: string, prepare: (stage: Stage) => Promise<Issued>, more?: Partial<Operation<Issued>>) => (Operation<Issued> & { name: string })[]} */
const atAges = (name, prepare, more) =>
  Object.entries(ages).map(([age, later]) => ({ name: name + age, ...refreshes(prepare, { later, ...more }) }));

/** The token of a thief, and that of the victim, which was used after the theft. */
const stolen = async (/** @type {Stage} */ stage) => {
  const thief = await login(stage);
  stage.clock.time += 2 * MINUTE;
  const victim = await refreshed(stage, thief);
  stage.clock.time += 2 * MINUTE;
  await use(stage, victim);
  const other = await login(stage);
  stage.clock.time += MINUTE;
  return { thief, victim, others: [other] };
};
/** With more sessions of the user than end in one step. */
const stolenFromMany = async (/** @type {Stage} */ stage) => {
  const { others, ...held } = await stolen(stage);
  for (let more = 0; more < 60; more += 1) others.push(await login(stage));
  return { ...held, others };
};
/** @type {(theftAction: import("@pawl/engine").TheftAction, prepare?: typeof stolen) => Operation<Awaited<ReturnType<typeof stolen>>>} */
const theft = (theftAction, prepare = stolen) => ({
  policy: { theftAction },
  isTheft: true,
  // The stolen session, and then the others in steps of fifty.
  commits: theftAction !== "revoke_user" ? 1 : prepare === stolen ? 2 : 3,
  prepare,
  act: (stage, { thief }) => refresh(stage, thief),
  answers: ["token_reuse"],
  async after(stage, { thief, victim, others }) {
    const { kind } = await refresh(stage, thief);
    if (kind !== "token_reuse" && (kind !== "unauthorised" || theftAction === "report"))
      throw new Error(`the thief is answered ${kind}`);
    equal((await stage.events("token_reuse")).length, 1, "alarms");
    if (theftAction === "report") await goesOn(stage, victim);
    else await isDead(stage, victim);
    for (const other of others) await (theftAction === "revoke_user" ? isDead : goesOn)(stage, other);
  },
});

/** The next sight of a session whose theft was found, and after which the store failed before the others had ended. */
const halfDone = /** @type {Operation<Awaited<ReturnType<typeof stolen>>>} */ ({
  ...theft("revoke_user", stolenFromMany),
  commits: 2,
  async prepare(stage) {
    const held = await stolenFromMany(stage);
    const { kind } = await stage.line.watch(() => refresh(stage, held.thief), { fault: refused, at: 3 });
    equal(kind, "failed", "the first sight");
    equal((await stage.events("token_reuse")).length, 1, "alarms");
    return held;
  },
  act: (stage, { victim }) => refresh(stage, victim),
  answers: ["unauthorised"],
});

/**
 * Questions and small changes: asked again they give what they would have given.
 * @template T
 * @param {(stage: Stage, held: Issued) => Promise<T>} act
 * @param {(answer: T) => unknown} check
 * @param {Partial<Operation<Issued>>} [more]
 * @returns {Operation<Issued>}
 */
const asked = (act, check, more = {}) => ({
  prepare: settled,
  act,
  async after(stage, held) {
    check(await act(stage, held));
    await goesOn(stage, held);
  },
  ...more,
});
const tokenOf = (/** @type {Issued} */ issued) => issued.accessToken.token;
const kindIs = (/** @type {string} */ wanted) => (/** @type {{ kind: string }} */ outcome) =>
  equal(outcome.kind, wanted, "the answer");

/** A session that another process made, whose token this one has not seen the key of. */
const ofAnotherProcess = async (/** @type {Stage} */ stage) => {
  const other = await stage.start();
  return other.createSession({ userId: alice, keyKind: "static" });
};

/** The store's first master key is out of use for good. */
const withoutFirstMasterKey = async (/** @type {Stage} */ stage) => {
  const [{ id: firstId }] = /** @type {[import("@pawl/engine").MasterKey]} */ (parseMasterKeys(masterKeys[0]));
  const context = { storage: stage.real, masterKeys: parseMasterKeys(masterKeys.join(",")), random: systemRandom };
  const { refreshTokenValidity } = stage.engine.policy;
  await rotateMasterKey({ ...context, refreshTokenValidity });
  await removeMasterKey({ ...context, id: firstId, endSessions: true });
  stage.give(masterKeys[1]);
};

/** A session sealed with a master key that this process has in its file, and has not read yet. */
const ofAnotherMasterKey = async (/** @type {Stage} */ stage) => {
  stage.give(masterKeys.join(","));
  await rotateMasterKey({
    storage: stage.real,
    masterKeys: parseMasterKeys(masterKeys.join(",")),
    random: systemRandom,
    refreshTokenValidity: stage.engine.policy.refreshTokenValidity,
  });
  const other = await stage.start();
  const held = await other.createSession({ userId: alice });
  // What the store remembers of the key's need is old enough to be written anew.
  stage.clock.time += 60 * MINUTE;
  return held;
};

const t1 = tenantId("t1");
const atProvider = { issuer: "https://login.example.com", subject: "alice", sessionId: "one" };

/** @type {Record<string, Operation>} */
const creations = {
  create: {
    prepare: async () => undefined,
    act: (stage) => login(stage),
    async after(stage, _held, tries) {
      await goesOn(stage, await login(stage));
      // One that nobody holds a token of may have been made.
      between(await stage.live(), [tries, tries + 1], "live sessions");
    },
  },
  "create, the first with its kind of key": {
    prepare: async () => undefined,
    act: (stage) => login(stage, { keyKind: "static" }),
    // The session, the key, the key's event.
    commits: 3,
    async after(stage, _held, tries) {
      await goesOn(stage, await login(stage, { keyKind: "static" }));
      between(await stage.live(), [tries, tries + 1], "live sessions");
    },
  },
  "create, over the limit of a user": {
    policy: { maxSessionsPerUser: 1 },
    hasLog: true,
    prepare: settled,
    act: (stage) => login(stage),
    async after(stage, before) {
      await goesOn(stage, await login(stage));
      equal(await stage.live(), 1, "live sessions");
      equal(await stage.unlogged(), 0, "acknowledged ends that are not in the log");
      await isDead(stage, before);
    },
  },
  "create, in a tenant that has to be there": {
    prepare: (stage) => stage.engine.tenants.put(t1, {}),
    act: (stage) => login(stage, { tenantId: t1, tenantMustExist: true }),
    async after(stage, _held, tries) {
      await goesOn(stage, await login(stage, { tenantId: t1, tenantMustExist: true }));
      between(await stage.live(t1), [tries, tries + 1], "live sessions");
    },
  },
};

/** @type {Record<string, Operation>} */
const others = {
  "refresh, expired": {
    policy: { accessTokenValidity: millis(5 * MINUTE), refreshTokenValidity: millis(10 * MINUTE) },
    prepare: async (stage) => {
      const held = await settled(stage);
      stage.clock.time += 11 * MINUTE;
      return held;
    },
    act: refresh,
    answers: ["unauthorised"],
    after: async (stage, held) => kindIs("unauthorised")(await refresh(stage, held)),
  },
  "refresh, ended": {
    prepare: async (stage) => {
      const held = await settled(stage);
      await stage.engine.revokeSessions([handleOf(held)]);
      return held;
    },
    act: refresh,
    answers: ["unauthorised"],
    after: isDead,
  },
  "refresh, forged with the master key": {
    isTheft: true,
    prepare: async (stage) => {
      const held = await settled(stage);
      const row = await stage.real.getSession(sessionId(handleOf(held)));
      if (row !== undefined) await stage.roll({ ...row, secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg" });
      return held;
    },
    act: refresh,
    answers: ["unauthorised"],
    async after(stage, held) {
      kindIs("unauthorised")(await refresh(stage, held));
      equal((await stage.events("forged_token")).length, 1, "events");
      equal(await stage.live(), 1, "live sessions");
    },
  },
  "refresh, sealed with a master key not read yet": refreshes(ofAnotherMasterKey, { commits: Infinity }),
  "verify, asking the database": asked(
    (stage, held) => stage.engine.verifyAccessToken({ accessToken: tokenOf(held), checkDatabase: true }),
    kindIs("valid"),
  ),
  "verify, a key not read yet": asked(
    (stage, held) => stage.engine.verifyAccessToken({ accessToken: tokenOf(held) }),
    kindIs("valid"),
    { prepare: ofAnotherProcess },
  ),
  "verify and confirm": asked(
    (stage, held) => stage.engine.confirmAccessToken({ accessToken: tokenOf(held), checkDatabase: true }),
    kindIs("valid"),
    {
      prepare: async (stage) => {
        const held = await refreshed(stage, await settled(stage));
        stage.clock.time += 2 * MINUTE;
        return held;
      },
    },
  ),
  "verify, confirmed before": asked(
    (stage, held) => stage.engine.confirmAccessToken({ accessToken: tokenOf(held), checkDatabase: true }),
    kindIs("valid"),
    { prepare: (stage) => login(stage) },
  ),
  regenerate: asked(
    (stage, held) => stage.engine.regenerateAccessToken(tokenOf(held), { role: "b" }),
    (outcome) => equal(outcome.kind === "regenerated" && outcome.session.payload, { role: "b" }, "the payload"),
  ),
  "report uses": asked(use, () => undefined, {
    prepare: async (stage) => {
      const held = await refreshed(stage, await settled(stage));
      stage.clock.time += 2 * MINUTE;
      return held;
    },
  }),
  "session data, asked for": asked(
    (stage, held) => stage.engine.getSession(handleOf(held)),
    (found) => equal(found?.userId, "alice", "the session"),
  ),
  "session data, replaced": {
    prepare: settled,
    act: (stage, held) => stage.engine.updateSessionData(handleOf(held), { cart: [1] }),
    async after(stage, held) {
      equal(await stage.engine.updateSessionData(handleOf(held), { cart: [1] }), true, "the answer");
      equal((await stage.engine.getSession(handleOf(held)))?.data, { cart: [1] }, "the session's data");
      await goesOn(stage, held);
    },
  },
  "payload, replaced": asked(
    (stage, held) => stage.engine.updatePayload(handleOf(held), { role: "b" }),
    (changed) => between(changed?.payloadVersion ?? 0, [1, 3], "the version"),
  ),
  "sessions of a user, listed": asked(
    async (stage) => [
      (await stage.engine.listSessions({ userId: alice }, { limit: 10 })).items.length,
      (await stage.engine.listSessionHandles({ userId: alice })).length,
    ],
    (found) => equal(found, [1, 1], "sessions and handles"),
  ),
  "sessions asked whether they live": asked(
    (stage, held) => stage.engine.liveOf([handleOf(held)]),
    (standings) =>
      equal(
        standings.map((standing) => standing?.payloadVersion),
        [0],
        "the versions",
      ),
  ),
  "a refresh token introspected": asked(
    (stage, held) => stage.engine.introspectToken(held.refreshToken.token, { admitsRefreshTokens: true }),
    kindIs("refresh_token"),
  ),
  "a token revoked": {
    prepare: settled,
    act: (stage, held) => stage.engine.revokeToken(held.refreshToken.token),
    async after(stage, held) {
      await stage.engine.revokeToken(held.refreshToken.token);
      await isDead(stage, held);
    },
  },
  "logins at an identity provider ended": {
    prepare: (stage) => settled(stage, { identityProvider: atProvider }),
    act: (stage) => stage.engine.revokeLogins(atProvider),
    async after(stage, held) {
      await stage.engine.revokeLogins(atProvider);
      await isDead(stage, held);
    },
  },
  "a session explained": asked(
    (stage, held) => stage.engine.explainSession(handleOf(held)),
    ({ status }) => equal(status, "live", "the status"),
  ),
  "a process starts on an empty store": {
    isEmpty: true,
    commits: Infinity,
    prepare: async () => undefined,
    act: (stage) => stage.start(),
    async after(stage) {
      await stage.restart();
      await goesOn(stage, await login(stage));
    },
  },
  "a process starts, the first master key is out of use": {
    commits: Infinity,
    prepare: withoutFirstMasterKey,
    act: (stage) => stage.start(),
    async after(stage) {
      await stage.restart();
      await goesOn(stage, await login(stage));
    },
  },
};

/** @type {(table: Record<string, Operation>) => (Operation & { name: string })[]} */
const named = (table) => Object.entries(table).map(([name, operation]) => ({ name, ...operation }));

/** All operations. */
export const operations = [
  ...named(creations),
  ...atAges("refresh", settled),
  ...atAges("refresh, imported", byNewestToken),
  ...atAges("refresh, imported, by a token minted from the newest", byItsChild),
  ...named(importedThefts),
  ...atAges("refresh, inside the window", async (stage) => {
    const held = await settled(stage);
    stage.clock.time += 2 * MINUTE;
    await refreshed(stage, held);
    stage.clock.time += 10 * SECOND;
    return held;
  }),
  ...atAges(
    "refresh, inside a long window, which counts as activity",
    async (stage) => {
      const held = await settled(stage);
      stage.clock.time += 2 * MINUTE;
      await refreshed(stage, held);
      stage.clock.time += 2 * MINUTE;
      return held;
    },
    { policy: { reuseWindow: millis(5 * MINUTE) } },
  ),
  ...atAges("refresh, the newest token again", async (stage) => {
    const held = await settled(stage);
    stage.clock.time += 2 * MINUTE;
    const newest = await refreshed(stage, held);
    stage.clock.time += 10 * SECOND;
    return newest;
  }),
  ...atAges("refresh, a straggler", async (stage) => {
    const held = await settled(stage);
    stage.clock.time += 2 * MINUTE;
    await refreshed(stage, held);
    stage.clock.time += 20 * SECOND;
    const straggler = await refreshed(stage, held);
    stage.clock.time += 11 * SECOND;
    await refreshed(stage, held);
    stage.clock.time += 2 * MINUTE;
    return straggler;
  }),
  ...atAges(
    "refresh, after lost commits",
    async (stage) => {
      /** @type {Issued} */
      let held = await settled(stage);
      const row = await stage.real.getSession(sessionId(handleOf(held)));
      for (let turn = 0; turn < 2; turn += 1) {
        stage.clock.time += 2 * MINUTE;
        held = await refreshed(stage, held);
      }
      if (row !== undefined) await stage.roll(row);
      return held;
    },
    { fastForwards: 1 },
  ),
  .../** @type {const} */ (["revoke_session", "revoke_user", "report"]).flatMap((action) => [
    { name: `refresh, stolen: ${action}`, ...theft(action) },
    { name: `refresh, stolen: ${action}, with a log`, hasLog: true, ...theft(action) },
  ]),
  { name: "refresh, stolen: revoke_user, of many sessions", ...theft("revoke_user", stolenFromMany) },
  { name: "refresh, after a theft that stopped half-way", ...halfDone },
  ...named(revocations),
  ...named(revocations).map(({ name, ...rest }) => ({ name: `${name}, with a log`, ...rest, hasLog: true })),
  ...named(others),
  ...named(actingOperations),
  ...named(bindingOperations),
  ...named(adoptions),
];
