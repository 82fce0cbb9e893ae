import { latencyOf } from "./latency.mjs";
import { answerCalls } from "./worker.mjs";

/**
 * What a contender's module opens: either a loop in this process, or a server that the load process drives.
 * @typedef {object} Loop
 * @property {() => number | Promise<number>} pass runs a batch and returns how many operations it was
 * @property {() => number[]} [takeLatencies] how long operations took since it was called last, in microseconds
 * @property {() => unknown} [reset] prepares the next batch; neither its time nor its CPU is counted
 * @property {() => unknown} [close]
 *
 * @typedef {object} Program another program that measures itself
 * @property {(millis: number) => Promise<Slice>} slice
 * @property {() => unknown} [close]
 *
 * @typedef {object} Server
 * @property {number} port
 * @property {import("./load-plan.mjs").LoadPlan} plan what the load process sends
 * @property {() => unknown} [close]
 *
 * @typedef {{ operations: number, micros: number, cpuMicros: number, memoryBytes: number, latency?: import("./latency.mjs").Latency }} Slice
 *   `memoryBytes` is 0 where another program ran
 */

const [module = "", exported = ""] = process.argv.slice(2);
/** @type {Loop | Program | Server | undefined} */
let contender;

/** CPU time of this process so far, user and system, in microseconds: with garbage collector and thread pool. */
const cpuMicros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

answerCalls(
  {
    open: async (settings) => {
      const loaded = await import(`./contenders/${module}.mjs`);
      contender = /** @type {Loop | Program | Server} */ (await loaded[exported](settings));
      return "port" in contender ? { port: contender.port, plan: contender.plan } : undefined;
    },
    usage: () => ({ cpuMicros: cpuMicros(), memoryBytes: process.memoryUsage.rss() }),
    /** @returns {Promise<Slice>} */
    slice: async (millis) => {
      if (contender !== undefined && "slice" in contender) return contender.slice(millis);
      const loop = /** @type {Loop} */ (contender);
      /** @type {Slice} */
      const slice = { operations: 0, micros: 0, cpuMicros: 0, memoryBytes: 0 };
      loop.takeLatencies?.();
      while (slice.micros < millis * 1000) {
        await loop.reset?.();
        const cpuBefore = cpuMicros();
        const before = performance.now();
        slice.operations += await loop.pass();
        slice.micros += (performance.now() - before) * 1000;
        slice.cpuMicros += cpuMicros() - cpuBefore;
      }
      slice.memoryBytes = process.memoryUsage.rss();
      const latencies = loop.takeLatencies?.() ?? [];
      if (latencies.length > 0) slice.latency = latencyOf(latencies);
      return slice;
    },
  },
  () => contender?.close?.(),
);
