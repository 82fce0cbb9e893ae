// One token presented twenty times at once to two nodes on one real server: one refresh mints, and all are told the same row.
import { bucketOfUser, openStorage } from "@pawl/storage";

export const secretHash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg";
const never = 8_640_000_000_000_000;
const atOnce = 20;
const rotations = 5;

/** A session whose last rotation is so long ago that the next refresh rotates. */
export const sessionOf = (now, number) => {
  const user = { tenantId: "public", userId: `user-${number}` };
  return {
    id: `${bucketOfUser(user).toString(16).padStart(4, "0")}${crypto.randomUUID().slice(4)}`,
    ...user,
    secretHash,
    current: 0,
    next: 0,
    issuedAt: 0,
    keyKind: "dynamic",
    payload: "{}",
    data: "{}",
    createdAt: now,
    lastActiveAt: now,
    expiresAt: now + 8_640_000_000,
    idleExpiresAt: never,
  };
};

/** Whether one of the results minted, and all tell of the row that it left. */
const isRight = (results, next) =>
  results.filter(({ minted }) => minted).length === 1 &&
  results.every(({ record }) => record?.next === next && record.current === next - 1);

/** @param start starts a private server and gives `{ url, stop }`. */
export const parallelRefreshes = (start) => async (count, seed, progress) => {
  const server = await start();
  // The window is counted from the time of the attempt: a clock of the test's own moves past it.
  let time = 1_800_000_000_000 + seed;
  const clock = { now: () => time };
  const nodes = await Promise.all([0, 1].map(() => openStorage(server.url, { clock })));
  let failures = 0;
  try {
    await nodes[0].migrate();
    for (let round = 0; round < count; round += rotations) {
      let record = sessionOf(time, round);
      await nodes[0].createSession(record);
      for (let rotation = 1; rotation <= rotations; rotation += 1) {
        time += 60_000;
        const { id, next: seq, issuedAt: iat } = record;
        const attempt = { id, seq, iat, secretHash, window: 30_000, lifetimes: { refreshValidity: 8_640_000_000 } };
        const results = await Promise.all(
          Array.from({ length: atOnce }, (_, index) => nodes[index % 2].rotate({ ...attempt })),
        );
        if (!isRight(results, rotation)) failures += 1;
        record = results[0].record;
      }
      progress(round);
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
    await server.stop();
  }
  return { count, failures, note: `${atOnce} at once, on two nodes` };
};
