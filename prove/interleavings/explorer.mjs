// Breadth first through every order of steps; a world that was met before is not entered again.
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { WINDOW } from "./honest-client.mjs";
import { doStep, PATIENCE, startOf, stepsOf, worldKey } from "./world.mjs";

/**
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Life} Life
 * @typedef {import("./world.mjs").Scene} Scene
 * @typedef {import("./world.mjs").Refresh} Refresh
 * @typedef {import("./stage.mjs").Row} Row
 */

/** The story of a world, for a person. */
const storyOf = (/** @type {World} */ world) => {
  /** @type {string[]} */
  const steps = [];
  for (let at = /** @type {World | undefined} */ (world); at !== undefined; at = at.parent) steps.unshift(at.step);
  return steps.join(", ");
};

const digest = (/** @type {string} */ text) => createHash("sha1").update(text).digest("binary").slice(0, 12);

/**
 * What every answer has to keep, whoever asked.
 * @param {World} before
 * @param {{ row: Row, refresh: Refresh | undefined }} done
 * @param {Life} life
 * @returns what is wrong
 */
const brokenRule = (before, { row, refresh }, life) => {
  const old = before.row;
  if (row.current > row.next) return "current is above next";
  if (row.current < old.current || row.next < old.next) return "a number went back";
  if (refresh === undefined) return undefined;
  const { outcome, presented } = refresh;
  if (outcome.kind === "token_reuse") return row.endReason === "token_reuse" ? undefined : "an alarm, and no end";
  if (outcome.copy === undefined) return `refused without an alarm (${outcome.kind})`;
  if (outcome.copy.seq !== row.next) return "the answer does not carry next";
  if (row.next > old.next && presented.seq <= old.next && before.now - old.issuedAt <= WINDOW)
    return "two tokens minted within a window";
  if (presented.seq < old.current) return "what was dead came to life";
  // A store that lost commits knows less of its copies.
  if (life.losses !== undefined) return undefined;
  if (before.contradicted !== undefined && presented.seq < before.contradicted)
    return "two parties were seen, and an older token than the newest was answered";
  const sealedAfter = outcome.copy.iat - row.issuedAt;
  if (row.issuedAt > 0 && (sealedAfter < 0 || sealedAfter > WINDOW))
    return "a copy was sealed at another time than its own";
  const isOld = before.now - old.issuedAt > WINDOW && before.now - presented.iat > WINDOW;
  return isOld && row.next === old.next ? "a rotation was put off" : undefined;
};

/**
 * After the alarm nothing of the session is answered; without its secret, or with a session that is bound to a key which
 * proved nothing, there would have been none.
 * @param {World} before
 * @param {{ row: Row, presented: import("./stage.mjs").Copy }} alarm
 * @param {import("./stage.mjs").Stage} stage
 */
const brokenEnd = async (before, { row, presented }, stage) => {
  await stage.restore(row, before.now);
  if ((await stage.refresh(presented)).kind !== "unauthorised") return "an ended session was answered";
  await stage.restore({ ...before.row, secretHash: "of another secret" }, before.now);
  if ((await stage.refresh(presented)).kind !== "unauthorised") return "a token without the secret counted";
  const bound = { ...before.row, bound: "a key" };
  await stage.restore(bound, before.now);
  const { kind } = await stage.refresh(presented);
  if (kind === "refreshed" || kind === "token_reuse") return `a bound session without its key: ${kind}`;
  return isDeepStrictEqual(await stage.row(bound.id), bound) ? undefined : "a refresh without the key changed the row";
};

/**
 * Both parties come back twice, more than a window apart.
 * @param {World} world
 * @param {Scene} scene
 * @returns how many refreshes it takes until the alarm
 */
const turnsUntilAlarm = async (world, scene) => {
  const go = async (/** @type {World} */ from, /** @type {string} */ step) => {
    const done = await doStep(from, step, scene);
    if (done === undefined) throw new Error(`${step} makes no difference`);
    return done;
  };
  /** @type {World} */
  let at = { ...world, flights: [] };
  for (let turn = 1; turn <= 4; turn += 1) {
    at = (await go(at, "wait 12")).world;
    if (turn % 2 === 1) at = (await go(at, "send")).world;
    const theft = scene.life.thief === "polling" ? "thief refreshes and forgets the answer" : "thief refreshes";
    const { refresh, world: after } = await go(at, turn % 2 === 1 ? "arrive 0" : theft);
    if (refresh?.outcome.kind !== "refreshed") return turn;
    at = turn % 2 === 1 ? (await go(after, "deliver 0 0")).world : after;
  }
  return undefined;
};

/**
 * Explores a class of lives, at most `limit` runs. A run is a history that ends in a request which the real engine answers;
 * the histories that lead to the same state are one.
 * @typedef {object} Options
 * @property {import("./stage.mjs").Stage} stage
 * @property {number} limit
 * @property {(runs: number) => void} [onRun]
 * @property {(world: World) => void} [onWorld] is told of each new one
 * @property {boolean} [stopAtFirst]
 * @param {Life} life
 * @param {Options} options
 */
export const explore = async (life, { stage, limit, onRun, onWorld, stopAtFirst = false }) => {
  const { handle, copy, row } = await stage.login();
  const start = startOf(life, { row, copy, now: stage.clock.time });
  const seen = new Set([digest(worldKey(start))]);
  let frontier = [start];
  const found = { runs: 0, steps: 0, states: 1, alarms: 0, early: 0, exact: 0, late: 0, missed: 0, broken: 0 };
  /** @type {string[]} */
  const stories = [];
  const tell = (/** @type {string} */ what, /** @type {World} */ world) =>
    void (stories.length < 5 && stories.push(`${what}: ${storyOf(world)}`));
  let latest = 0;

  while (frontier.length > 0) {
    /** @type {World[]} */
    const next = [];
    for (const world of frontier) {
      for (const step of stepsOf(world, life)) {
        if (found.runs >= limit || (stopAtFirst && stories.length > 0))
          return { ...found, latest, stories, isClosed: false };
        const done = await doStep(world, step, { stage, handle, life });
        if (done === undefined) continue;
        found.steps += 1;
        const { row, refresh } = done;
        if (row !== undefined) {
          found.runs += 1;
          onRun?.(found.runs);
        }
        const wrong = row && brokenRule(world, { row, refresh }, life);
        if (wrong !== undefined) {
          found.broken += 1;
          tell(wrong, done.world);
          continue;
        }
        if (row !== undefined && refresh?.outcome.kind === "token_reuse") {
          found.alarms += 1;
          found.runs += 2;
          onRun?.(found.runs);
          const wrongEnd = await brokenEnd(world, { row, presented: refresh.presented }, stage);
          if (wrongEnd !== undefined) {
            found.broken += 1;
            tell(wrongEnd, done.world);
          }
          const { unexplained } = done.world;
          if (refresh.explained) {
            found.early += 1;
            tell("alarm too early", done.world);
          } else if (unexplained <= 1) found.exact += 1;
          else {
            found.late += 1;
            latest = Math.max(latest, unexplained - 1);
            if (life.exact === true) tell("alarm too late", done.world);
          }
          continue;
        }
        if (done.world.unexplained > PATIENCE) {
          const turns = await turnsUntilAlarm(done.world, { stage, handle, life });
          if (turns === undefined) {
            found.missed += 1;
            tell("theft missed", done.world);
          } else {
            found.late += 1;
            latest = Math.max(latest, PATIENCE + turns);
          }
          continue;
        }
        const key = digest(worldKey(done.world));
        if (seen.has(key)) continue;
        seen.add(key);
        found.states += 1;
        next.push(done.world);
        onWorld?.(done.world);
      }
    }
    frontier = next;
  }
  return { ...found, latest, stories, isClosed: true };
};
