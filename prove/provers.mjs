import { fork } from "node:child_process";

/**
 * @typedef {{ name: string, total: number, seed: number }} Task
 * @typedef {{ name: string, count: number, failures: number, seconds: number, note: string }} Figures
 * @typedef {{ done: number } | { result: Figures }} Told
 */

/**
 * Carries out proofs in processes of their own, `count` of which work at once, each on the next that is left.
 * @param {number} count
 * @param {readonly Task[]} tasks
 * @param {{ progress: (task: Task, done: number) => void, figures: (figures: Figures) => void }} tell
 */
export const prove = async (count, tasks, tell) => {
  const left = [...tasks];
  const workOff = async () => {
    let prover;
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      if (prover === undefined || !prover.connected) prover = fork(new URL("prover.mjs", import.meta.url));
      tell.figures(await proveBy(prover, task, tell.progress));
    }
    prover?.kill();
  };
  await Promise.all(Array.from({ length: Math.min(count, left.length) }, workOff));
};

/**
 * A process that ends before the proof has failed it.
 * @param {import("node:child_process").ChildProcess} prover
 * @param {Task} task
 * @param {(task: Task, done: number) => void} progress
 * @returns {Promise<Figures>}
 */
const proveBy = (prover, task, progress) =>
  new Promise((resolve) => {
    const started = performance.now();
    const end = (/** @type {Figures} */ figures) => {
      prover.off("message", hear);
      prover.off("exit", exited);
      resolve(figures);
    };
    const hear = (/** @type {any} */ told) => {
      if ("result" in told) end(told.result);
      else progress(task, told.done);
    };
    const exited = (/** @type {number | null} */ status, /** @type {string | null} */ signal) =>
      end({
        name: task.name,
        count: 0,
        failures: 1,
        seconds: Math.round((performance.now() - started) / 100) / 10,
        note: `not carried out: its process ended with ${signal ?? status}`,
      });
    prover.on("message", hear).on("exit", exited);
    prover.send(task);
  });
