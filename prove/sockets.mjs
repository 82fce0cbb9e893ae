// Real sockets on one process, whose sessions are ended and changed in another one: which are closed, and after how long.
import { setTimeout as pause } from "node:timers/promises";
import { openStage } from "../bench/sockets/stage.mjs";
import { startWorker } from "../bench/worker.mjs";
import { openStore } from "./nodes/stores.mjs";
import { openSwitchboard } from "./nodes/switchboard.mjs";
import { quantile } from "./quantile.mjs";

/** What a turn of the event loop may take, ms of CPU, however many sockets are closed. */
const LONGEST_TURN = 100;
/** How long the feed is cut, ms; and in the short form. */
const CUT = 5000;
const SHORT_CUT = 1500;
/** How long a socket may take to be closed once its feed has healed, ms. */
const PATIENCE = 30_000;
/** Sockets that nothing happens to, and so many that their feed is cut for, or whose session is changed. */
const FEW = 50;

const quantiles = (/** @type {readonly number[]} */ lags) => {
  const [p50, p99, most] = [0.5, 0.99, 1].map((part) => Math.round(quantile(lags, part)));
  return `p50 ${p50} ms, p99 ${p99} ms, most ${most} ms`;
};

const lost = (/** @type {readonly number[]} */ lags) => lags.filter((lag) => lag === Number.POSITIVE_INFINITY).length;

/** @type {(place: { store: import("./nodes/stores.mjs").StoreName, core: boolean }) => import("./proofs.mjs").Run} */
const sockets =
  ({ store: name, core }) =>
  async (count, _seed, progress) => {
    const store = await openStore(name);
    /** @type {{ port: number, board: Awaited<ReturnType<typeof openSwitchboard>> } | undefined} */
    let switched;
    const way = async (/** @type {number} */ port) => {
      const board = await openSwitchboard(port);
      switched = { port, board };
      return board.port;
    };
    // A file has no connection that could be cut.
    const isCut = core || name !== "sqlite";
    const stage = await openStage({ storage: store.url, core, ...(isCut ? { way } : {}) }, count);
    const { clients, server, pawl } = stage;
    const left = [...stage.handles];
    const stay = left.splice(0, FEW);
    const notes = [];
    let failures = 0;
    try {
      const each = await stage.endEach(left.splice(0, count / 20));
      failures += lost(each);
      notes.push(`one at a time, from the call to the close frame: ${quantiles(each)}`);
      progress(each.length);

      const changed = left.splice(0, FEW);
      for (const handle of changed) await pawl.sessions.updatePayload(handle, { role: "user" });
      await clients.closing(changed, PATIENCE);
      failures += clients.of(changed).filter(({ code }) => code !== 4403).length;

      if (switched !== undefined) {
        const during = left.splice(0, FEW);
        const before = clients.closed();
        switched.board.lead(0);
        if ((await pawl.sessions.end(during)) !== FEW) failures += 1;
        const cut = count < 1000 ? SHORT_CUT : CUT;
        await pause(cut);
        // Neither those that have ended, which nobody can know of, nor any other one.
        failures += clients.closed() - before;
        const healed = performance.now();
        switched.board.lead(switched.port);
        await clients.closing(during, PATIENCE);
        const lags = clients.of(during).map(({ code, closedAt }) => (code === 4401 ? closedAt - healed : Infinity));
        failures += lost(lags);
        notes.push(`ended while the feed was cut for ${cut / 1000} s, once it had healed: ${quantiles(lags)}`);
      }

      await server.call("lookAtTurns");
      const all = await stage.end(left);
      const turn = await server.call("longestTurn");
      failures += lost(all) + (turn > LONGEST_TURN ? 1 : 0);
      notes.push(
        `${left.length} at once: ${quantiles(all)}; the longest turn of the event loop ${Math.round(turn)} ms of CPU`,
      );
      // What has happened to others has closed none of those, and nothing is left of the others.
      failures += clients.of(stay).filter(({ code, isOpen }) => code !== 0 || !isOpen).length;
      failures += await stage.stillOpen(stay.length);
      return { count, failures, note: notes.join("; ") };
    } finally {
      await stage.close();
      await switched?.board.close();
      await store.close();
    }
  };

/** What a binding may take of the heap, bytes. */
const MOST_BYTES = 300;

/** @type {import("./proofs.mjs").Run} */
const memory = async (count) => {
  const worker = startWorker("sockets/memory-process.mjs", [], ["--expose-gc"]);
  try {
    const { each, left } = await worker.call("measure", count);
    const failures = [each > MOST_BYTES, left / count > MOST_BYTES / 10].filter(Boolean).length;
    return {
      count,
      failures,
      note: `${Math.round(each)} bytes each, ${Math.round(left / 1024)} KiB left of all once they are closed`,
    };
  } finally {
    await worker.stop();
  }
};

const what =
  "sockets whose sessions another process ends; a failure is one that is not closed, or closed without reason, or a turn of the event loop of more than 100 ms";

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const socketProofs = [
  {
    name: "sockets-sqlite",
    run: sockets({ store: "sqlite", core: false }),
    size: 10_000,
    short: 500,
    isTimed: true,
    what,
  },
  { name: "sockets-postgres", run: sockets({ store: "postgres", core: false }), size: 10_000, isTimed: true, what },
  {
    name: "sockets-core",
    run: sockets({ store: "sqlite", core: true }),
    size: 10_000,
    short: 500,
    isTimed: true,
    what,
  },
  {
    name: "sockets-memory",
    run: memory,
    size: 100_000,
    short: 100_000,
    what: "a failure is a bound socket that takes more than 300 bytes beside itself, or leaves some",
  },
];
