import { formatLatency, rounded } from "./figures.mjs";
import { goal } from "./goals.mjs";
import { latencyOf } from "./latency.mjs";
import { openStage } from "./sockets/stage.mjs";
import { startWorker } from "./worker.mjs";

const SOCKETS = 10_000;
const SHORT_SOCKETS = 500;
/** Of them, one after the other. */
const EACH = 1000;
const SHORT_EACH = 50;
/** Bindings whose memory is measured. */
const BOUND = 100_000;

const each = (/** @type {string} */ place) => `one end at a time, ${place}`;
const atOnce = (/** @type {string} */ place) => `all ends at once, ${place}`;
const EMBEDDED = "both processes on SQLite";
const CORE = "both processes over a core";
const POSTGRES = "both processes on PostgreSQL";

/**
 * Opens sockets, ends the sessions of some one after the other and then of all others at once, in another process.
 * @param {string} place
 * @param {Parameters<typeof openStage>[0]} where
 * @param {boolean} isShort
 * @param {(text: string) => void} tell
 */
const endSockets = async (place, where, isShort, tell) => {
  tell(`opening sockets, ${place}`);
  const stage = await openStage(where, isShort ? SHORT_SOCKETS : SOCKETS);
  const { server } = stage;
  const left = [...stage.handles];
  /**
   * @param {string} name
   * @param {number} ends
   * @param {() => Promise<number[]>} work
   */
  const measured = async (name, ends, work) => {
    tell(name);
    const before = await server.call("usage");
    const from = performance.now();
    const lags = await work();
    const seconds = (performance.now() - from) / 1000;
    if (lags.includes(Number.POSITIVE_INFINITY)) throw new Error(`${name}: a socket was not closed`);
    const after = await server.call("usage");
    const figures = {
      perSecond: ends / seconds,
      cpuMicros: (1000 * (after.cpuMillis - before.cpuMillis)) / ends,
      ...latencyOf(lags.map((lag) => 1000 * lag)),
    };
    return { name, ...figures, memoryMb: after.memoryMb, rounds: [figures] };
  };
  try {
    const some = left.splice(0, isShort ? SHORT_EACH : EACH);
    const one = await measured(each(place), some.length, () => stage.endEach(some));
    await server.call("lookAtTurns");
    const all = await measured(atOnce(place), left.length, () => stage.end(left));
    return [one, { ...all, longestTurn: await server.call("longestTurn") }];
  } finally {
    await stage.close();
  }
};

/** @typedef {import("./contest.mjs").Score & { longestTurn?: number, bytesPerSocket?: number }} SocketScore */

/** @type {import("./rows.mjs").Row} */
const sockets = {
  name: "sockets",
  title: `${SOCKETS.toLocaleString("en-US")} WebSockets on one process, whose sessions another process ends: from the call to the close frame`,
  ours: each(EMBEDDED),
  databases: ["postgres"],
  contenders: () => [],
  async measure({ directory, databases }, isShort, tell) {
    tell("memory");
    const worker = startWorker("sockets/memory-process.mjs", [], ["--expose-gc"]);
    const memory = await worker.call("measure", BOUND);
    await worker.stop();
    const places = [
      { place: EMBEDDED, where: { storage: `sqlite:${directory}/sockets.db`, core: false } },
      { place: POSTGRES, where: { storage: databases.postgres?.storeUrl("sockets") ?? "", core: false } },
      { place: CORE, where: { storage: `sqlite:${directory}/sockets-core.db`, core: true } },
    ];
    /** @type {SocketScore[]} */
    const scores = [];
    for (const { place, where } of places) scores.push(...(await endSockets(place, where, isShort, tell)));
    return scores.map((score, index) => (index === 0 ? { ...score, bytesPerSocket: memory.each } : score));
  },
  judge(_score, scores) {
    const all = /** @type {readonly SocketScore[]} */ (scores);
    const slowest = Math.max(...all.filter(({ name }) => name.startsWith("one")).map(({ p99Micros = 0 }) => p99Micros));
    const turn = Math.max(...all.map(({ longestTurn = 0 }) => longestTurn));
    const bytes = all[0]?.bytesPerSocket ?? Number.NaN;
    return {
      ratio: bytes / 300,
      goals: [
        goal("p99 of one end at a time ≤ 1 s", formatLatency(slowest), slowest <= 1e6),
        goal("the longest turn of the event loop ≤ 100 ms of CPU", `${rounded(turn)} ms`, turn <= 100),
        goal("a bound socket, of 100,000, ≤ 300 bytes beside itself", `${Math.round(bytes)} bytes`, bytes <= 300),
      ],
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const socketRows = [sockets];
