// One token presented twenty times at once to two nodes on one real server: one refresh mints, and all are told the same row.
import { millis, openStorage } from "@pawl/storage";
import { startMariaDb, startPostgres, startRedis, startRedisCluster } from "@pawl/test-servers";
import { newRecord } from "../bench/contenders/session-rows.mjs";
import { createClock } from "./clock.mjs";
import { userId } from "./identifiers.mjs";

const atOnce = 20;
const rotations = 5;

/** Whether one of the results minted, and all tell of the row that it left. */
const isRight = (
  /** @type {readonly import("@pawl/storage").RotationResult[]} */ results,
  /** @type {number} */ next,
) =>
  results.filter(({ minted }) => minted).length === 1 &&
  results.every(({ record }) => record?.next === next && record.current === next - 1);

/**
 * @param {() => Promise<{ url: string, stop: () => Promise<void> }>} start starts a private server
 * @returns {import("./proofs.mjs").Run}
 */
const refreshAtOnce = (start) => async (count, seed, progress) => {
  const server = await start();
  // The window is counted from the time of the attempt: a clock of the test's own moves past it.
  const clock = createClock(1_800_000_000_000 + seed);
  const first = await openStorage(server.url, { clock });
  const second = await openStorage(server.url, { clock });
  let failures = 0;
  try {
    await first.migrate();
    for (let round = 0; round < count; round += rotations) {
      let record = newRecord({ userId: userId(`user-${round}`), createdAt: clock.now() });
      await first.createSession(record);
      for (let rotation = 1; rotation <= rotations; rotation += 1) {
        clock.time += 60_000;
        const { id, next: seq, issuedAt: iat, secretHash } = record;
        const lifetimes = { refreshValidity: millis(8_640_000_000) };
        const attempt = { id, seq, iat, secretHash, window: millis(30_000), lifetimes };
        const results = await Promise.all(
          Array.from({ length: atOnce }, (_, index) => (index % 2 === 0 ? first : second).rotate({ ...attempt })),
        );
        if (!isRight(results, rotation)) failures += 1;
        record = results[0]?.record ?? record;
      }
      progress(round);
    }
  } finally {
    await Promise.all([first.close(), second.close()]);
    await server.stop();
  }
  return { count, failures, note: `${atOnce} at once, on two nodes` };
};

const servers = {
  postgres: startPostgres,
  mysql: startMariaDb,
  redis: startRedis,
  "redis-cluster": startRedisCluster,
};

/** @type {readonly import("./proofs.mjs").Proof[]} */
export const parallelRefreshes = Object.entries(servers).map(([name, start]) => ({
  name: `parallel-refreshes-${name}`,
  run: refreshAtOnce(start),
  size: 10_000,
  short: 100,
  what: "a failure is two winners, none, or an answer unlike the others",
}));
