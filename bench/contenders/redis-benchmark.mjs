import { openStorage } from "@pawl/storage";
import { fill, newRecord } from "./session-rows.mjs";
import { runTimed } from "./timed-program.mjs";

const PREFIX = "redis_benchmark";
/** All rows are one user's, so that they share a bucket and the id's end alone is drawn. */
const userId = /** @type {import("@pawl/storage").UserId} */ ("redis-benchmark");
const BUCKET = newRecord({ userId }).id.slice(0, 4);
const idOf = (/** @type {string} */ end) => `${BUCKET}0000-0000-4000-8000-${end}`;
/** What `redis-benchmark` puts a number of twelve digits in the place of. */
const DRAWN = "__rand_int__";

/**
 * `redis-benchmark` with the adapter's own script of a refresh, on rows of its own. The parent is presented again and again,
 * which with window 0 mints a sibling each time, as a refresh mints a successor.
 * @param {{ url: string, command: string, clients: number, sessions: number }} settings
 */
export const redisBenchmark = async ({ url, command, clients, sessions }) => {
  const storage = await openStorage(`${url}?prefix=${PREFIX}`);
  await storage.migrate();
  const { secretHash } = newRecord();
  const records = Array.from({ length: sessions }, (_, n) =>
    newRecord({ userId, id: /** @type {any} */ (idOf(String(n).padStart(12, "0"))), secretHash }),
  );
  await fill(storage, records);
  const { rotate } = await import(
    /** @type {string} */ (new URL("../../packages/storage-redis/dist/scripts/row-scripts.js", import.meta.url).href)
  );
  // Run once through the adapter, so that the server knows the script.
  const [first] = records;
  if (first === undefined) throw new Error("there are no sessions");
  const lifetimes = { refreshValidity: /** @type {any} */ (8_640_000_000) };
  await storage.rotate({ ...first, seq: 0, iat: storage.now(), window: /** @type {any} */ (0), lifetimes });
  await storage.close();
  const id = idOf(DRAWN);
  const call = [
    rotate.sha,
    "1",
    `${PREFIX}:{${BUCKET.slice(2)}}:s:${id}`,
    "1",
    "",
    "0",
    String(Date.now()),
    secretHash,
    "0",
  ];
  const rest = ["8640000000", "", "", "", id, ""];
  const { hostname, port } = new URL(url);
  return {
    slice: async (/** @type {number} */ millis) => {
      const requests = Math.round(millis * Math.min(clients, 16));
      const options = [
        "-h",
        hostname,
        "-p",
        port,
        "-c",
        String(clients),
        "-n",
        String(requests),
        "-r",
        String(sessions),
        "--csv",
      ];
      const { output, cpuMicros } = await runTimed(command, [...options, "EVALSHA", ...call, ...rest]);
      const line = /^"EVALSHA.*?"((?:,"[\d.]+")+)/m.exec(output)?.[1] ?? "";
      // Requests per second; average, least, p50, p95, p99 and most of latency, in milliseconds.
      const [perSecond = 0, , , p50 = 0, , p99 = 0] = [...line.matchAll(/[\d.]+/g)].map(Number);
      if (!(perSecond > 0)) throw new Error(`redis-benchmark: ${output.slice(-800)}`);
      return {
        operations: requests,
        micros: (requests / perSecond) * 1e6,
        cpuMicros,
        memoryBytes: 0,
        latency: { p50Micros: p50 * 1000, p99Micros: p99 * 1000 },
      };
    },
  };
};
