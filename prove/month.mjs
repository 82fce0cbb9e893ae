// Thirty days of many users in simulated time: three nodes on one store, signing keys that change every day, verifiers whose
// clocks are five minutes fast or slow. Nobody who is active is refused, nobody who is not goes on, nobody is called a thief,
// and nothing is left at the end.
import { createPublicKey } from "node:crypto";
import { createAccessTokenVerifier, createEngine, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage, millis } from "@pawl/storage";
import { createClock } from "./clock.mjs";
import { heapUsed } from "./heap.mjs";
import { userId } from "./identifiers.mjs";
import { createRandom } from "./random.mjs";

/**
 * @typedef {import("@pawl/engine").SessionEngine} SessionEngine
 *
 * A user's session: when it was made, last served, and last seen by the store.
 * @typedef {{ held: import("@pawl/engine").IssuedSession, since: number, servedAt: number, seenAt: number }} Life
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS = 30;
const SKEWS = [-5 * MINUTE, 0, 5 * MINUTE];
/** How far the fastest clock is ahead, and what a whole second of a token may cut off. */
const FASTEST = 5 * MINUTE + 1000;
/** What may be left of the heap at the end, in MB, whatever the number of users. */
const HEAP_LIMIT = 8;
/** Keys that stay published at the end: the static one, the dynamic one that signs, and one before and after it. */
const KEYS_LIMIT = 4;
const IDLE = 4 * DAY;
const ABSOLUTE = 20 * DAY;
const POLICY = {
  signingKeyUpdateInterval: millis(DAY),
  refreshTokenValidity: millis(7 * DAY),
  eventRetention: millis(7 * DAY),
  idleTimeout: millis(IDLE),
  absoluteTimeout: millis(ABSOLUTE),
};

/**
 * A verifier on a machine of its own: it knows the published keys as of its last look, and has its own clock.
 * @param {import("./clock.mjs").ProofClock} clock
 * @param {number} skew
 * @param {SessionEngine} engine
 */
const createForeignVerifier = (clock, skew, engine) => {
  const verifier = createAccessTokenVerifier({
    clock: { now: () => millis(clock.time + skew) },
    accessTokenValidity: millis(HOUR),
    enableAntiCsrf: false,
  });
  const look = () =>
    verifier.setKeys(
      engine.keySet().keys.map((jwk) => ({
        kid: jwk.kid,
        algorithm: jwk.alg,
        publicKey: createPublicKey({ key: { ...jwk }, format: "jwk" }),
      })),
    );
  look();
  return (/** @type {string} */ accessToken) => {
    const outcome = verifier.verify({ accessToken });
    if (outcome.kind === "valid" || outcome.why !== "unknown_key") return outcome;
    look();
    return verifier.verify({ accessToken });
  };
};

/** @type {import("./proofs.mjs").Run} */
export const month = async (users, seed, progress) => {
  const clock = createClock();
  const storage = new MemoryStorage({ clock });
  const masterKeys = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
  const first = await createEngine({ storage, masterKeys, policy: POLICY });
  const nodes = [first];
  while (nodes.length < SKEWS.length) nodes.push(await createEngine({ storage, masterKeys, policy: POLICY }));
  const verifiers = nodes.map((node, index) => createForeignVerifier(clock, SKEWS[index] ?? 0, node));
  const random = createRandom(seed);
  const before = heapUsed();
  /** @type {Map<number, Life>} */
  const lives = new Map();
  const counts = { visits: 0, refreshes: 0, refused: 0, thefts: 0, idle: 0, absolute: 0, outlived: 0 };
  /** Half of them live on the static key, which stays; the others' keys change every day. */
  const login = async (/** @type {number} */ user) => {
    const keyKind = user % 2 === 0 ? "static" : "dynamic";
    const held = await random.pick(nodes).createSession({ userId: userId(`user-${user}`), keyKind });
    lives.set(user, { held, since: clock.time, servedAt: clock.time, seenAt: clock.time });
  };
  /** @type {Record<"static" | "dynamic", Set<string>>} */
  const kinds = { static: new Set(), dynamic: new Set() };
  const noteKeys = () => {
    for (const { kid, kind } of first.listSigningKeys()) kinds[kind].add(kid);
  };
  /** One or two tabs refresh at once; an answer may get lost, and is asked for again. */
  const refresh = async (/** @type {Life} */ life) => {
    const { refreshToken } = life.held;
    const mayLive = clock.time - life.seenAt <= IDLE && clock.time - life.since < ABSOLUTE;
    const tabs = random.chance(0.1) ? 2 : 1;
    for (let tab = 0; tab < tabs; tab += 1)
      do {
        const outcome = await random.pick(nodes).refreshSession({ refreshToken: refreshToken.token });
        counts.refreshes += 1;
        if (outcome.kind === "token_reuse") counts.thefts += 1;
        if (outcome.kind !== "refreshed") return false;
        if (!mayLive) counts.outlived += 1;
        life.held = outcome;
        life.servedAt = life.seenAt = clock.time;
      } while (random.chance(0.05));
    return true;
  };
  const visit = async (/** @type {number} */ user, /** @type {Life} */ life) => {
    counts.visits += 1;
    const verify = random.pick(verifiers);
    if (verify(life.held.accessToken.token).kind === "valid") {
      life.servedAt = clock.time;
      return;
    }
    // An access token that has ended is no refusal as long as the refresh brings one that is taken.
    if (!(await refresh(life))) {
      // A user who comes back within half the idle timeout is active, and goes on until the absolute one.
      if (clock.time - life.since >= ABSOLUTE) counts.absolute += 1;
      else if (clock.time - life.servedAt > IDLE / 2) counts.idle += 1;
      else counts.refused += 1;
      await login(user);
      return;
    }
    const second = verify(life.held.accessToken.token);
    // A token that is cut at the end of its session may be over already where a clock is fast.
    if (second.kind !== "valid") counts.refused += life.held.accessToken.expiry - clock.time > FASTEST ? 1 : 0;
    else if (second.claims.parentSeq !== undefined && random.chance(0.8)) {
      clock.time += 31_000;
      await random.pick(nodes).reportUses([second.claims]);
      life.servedAt = life.seenAt = clock.time;
    }
  };

  for (let user = 0; user < users; user += 1) await login(user);
  for (let day = 0; day < DAYS; day += 1) {
    const start = clock.time;
    const visits = [];
    for (let user = 0; user < users; user += 1)
      for (let times = random.below(3); times > 0; times -= 1) visits.push({ user, at: start + random.below(DAY) });
    visits.sort((one, other) => one.at - other.at);
    let maintained = start;
    for (const { user, at } of visits) {
      clock.time = Math.max(clock.time, at);
      // Each node looks after its keys and rows every half hour, as when it is served.
      for (; maintained + HOUR / 2 <= clock.time; maintained += HOUR / 2)
        for (const node of nodes) await node.maintainSigningKeys();
      // Whoever was away for a week has been logged out, and logs in again.
      const life = /** @type {Life} */ (lives.get(user));
      if (clock.time >= life.held.refreshToken.expiry) {
        if (clock.time - life.since >= ABSOLUTE) counts.absolute += 1;
        await login(user);
      } else if (random.chance(0.01)) {
        await random.pick(nodes).revokeSessions([life.held.session.handle], { reason: "logout" });
        await login(user);
      } else await visit(user, life);
    }
    clock.time = Math.max(clock.time, start + DAY);
    for (const node of nodes) await node.sweep();
    noteKeys();
    progress((day * users) / DAYS);
  }
  const keys = first.listSigningKeys().length;
  clock.time += 30 * DAY;
  for (const node of nodes) await node.maintainSigningKeys();
  for (let swept = 1; swept > 0;) {
    const { sessions, revocations, events } = await first.sweep();
    swept = sessions + revocations + events;
  }
  lives.clear();
  const { items: left } = await storage.listSessions({}, { limit: 10 });
  const { items: events } = await storage.listEvents({ types: ["session_ended", "token_reuse"] }, { limit: 10 });
  const grown = (heapUsed() - before) / 1_048_576;
  for (const node of nodes) await node.close();
  const found = {
    "a false refusal": counts.refused,
    "a false theft": counts.thefts,
    "a session that outlived its limits": counts.outlived,
    "a session that is left": left.length,
    "an event that is left": events.length,
    "a key that is left": Math.max(0, keys - KEYS_LIMIT),
    "heap that is left": grown > HEAP_LIMIT ? 1 : 0,
    "a day without a new dynamic key": Math.max(0, DAYS - kinds.dynamic.size),
    "a static key that changed": kinds.static.size - 1,
  };
  for (const [what, count] of Object.entries(found)) if (count > 0) console.error(`${what}: ${count}`);
  return {
    count: counts.visits,
    failures: Object.values(found).reduce((sum, count) => sum + count, 0),
    note:
      `${DAYS} days, ${users} users, ${counts.refreshes} refreshes, clocks of verifiers 5 min fast and slow, ` +
      `${kinds.dynamic.size} dynamic keys and ${kinds.static.size} static one, ${counts.idle} ended as idle and ${counts.absolute} at the absolute timeout, ${counts.refused} false refusals, ${counts.thefts} false thefts; ` +
      `at the end ${left.length} sessions, ${events.length} events of them, ${keys} keys, ${grown.toFixed(1)} MB of heap more than before`,
  };
};
