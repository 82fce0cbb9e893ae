// Breadth first through every order of steps of a browser with a key, and of a thief without it.
import { createHash } from "node:crypto";
import { brokenRule } from "./rules.mjs";
import { letThiefTry } from "./thief.mjs";
import { createDevices, doStep, startsOf, stepsOf, storyOf } from "./world.mjs";
import { keysOf } from "./world-key.mjs";

/**
 * @typedef {import("./world.mjs").World} World
 * @typedef {import("./world.mjs").Life} Life
 */

const digest = (/** @type {string} */ text) => createHash("sha1").update(text).digest("binary").slice(0, 12);

/**
 * Explores a class of lives, nearest first, at most `limit` runs: histories that end in something the real SDK is asked.
 * @param {Life} life
 * @param {{ stage: import("./stage.mjs").DeviceStage, limit: number, onRun?: (runs: number) => void, stopAtFirst?: boolean }} options
 */
export const exploreBinding = async (life, { stage, limit, onRun, stopAtFirst = false }) => {
  /** How often a browser was answered so. @type {Map<string, number>} */
  const answers = new Map();
  const onAnswer = (/** @type {string} */ name) => void answers.set(name, (answers.get(name) ?? 0) + 1);
  const scene = { stage, devices: createDevices(), life, onAnswer };
  const starts = await startsOf(scene);
  const seen = new Set(starts.map((world) => digest(keysOf(world).all)));
  /** What the thief has tried on. @type {Set<string>} */
  const tried = new Set();
  const found = { runs: 0, thefts: 0, gained: 0, logouts: 0, reports: 0 };
  /** @type {string[]} */
  const stories = [];
  /** @type {World[]} */
  let frontier = starts;
  const isOver = () => found.runs >= limit || (stopAtFirst && stories.length > 0);
  const count = (/** @type {number} */ runs) => {
    found.runs += runs;
    onRun?.(found.runs);
  };
  while (frontier.length > 0 && !isOver()) {
    /** @type {World[]} */
    const next = [];
    for (const world of frontier) {
      const steps = stepsOf(world, life);
      for (let at = 0; at < steps.length && !isOver(); at += 1) {
        const step = /** @type {string} */ (steps[at]);
        const done = await doStep(world, step, scene);
        if (done === undefined) continue;
        if (done.isAsked) count(1);
        // The same once more, with each of its calls of the store failing, before and after its work.
        if (life.down && done.answer !== undefined && /^arrive \d+$/.test(step))
          for (let call = 0; call < done.answer.calls; call += 1)
            steps.push(`${step} down ${call}`, `${step} down ${call} done`);
        const wrong = brokenRule(world, done, life);
        if (wrong !== undefined) {
          stories.push(`${wrong}: ${storyOf(done.world)}`);
          continue;
        }
        if (done.answer?.found === "nobody" && done.flight !== undefined && world.destroyed.length > 0)
          found.logouts += 1;
        if (done.answer?.events.includes("unproven_refresh")) found.reports += 1;
        const { all, stolen } = keysOf(done.world);
        const key = digest(all);
        if (seen.has(key)) continue;
        seen.add(key);
        if (tried.has(stolen)) {
          next.push(done.world);
          continue;
        }
        tried.add(stolen);
        const theft = await letThiefTry(done.world, scene);
        count(theft.runs);
        found.thefts += theft.runs;
        found.gained += theft.gained;
        if (theft.wrong.length > 0) stories.push(`${theft.wrong.join("; ")}: ${storyOf(done.world)}`);
        else next.push(done.world);
      }
    }
    frontier = next;
  }
  return { ...found, answers, stories, states: seen.size, isClosed: frontier.length === 0 };
};
