// Calls to Redis given up while their answers are under way, on shared connections: no answer may go to another call.
import { millis, openStorage, StorageError } from "@pawl/storage";
import { startRedis } from "@pawl/test-servers";
import { newRecord } from "../bench/contenders/session-rows.mjs";
import { userId } from "./identifiers.mjs";
import { createRandom } from "./random.mjs";

const LANES = 100;
const SESSIONS = 1000;

/**
 * So many calls are given up.
 * @type {import("./proofs.mjs").Run}
 */
export const redisAborts = async (count, seed, progress) => {
  const server = await startRedis({ settings: { appendonly: "no" } });
  /** @type {import("@pawl/storage").Storage[]} */
  const stores = [];
  let [aborted, answered, failures] = [0, 0, 0];
  try {
    const url = `${server.url}?durability=none`;
    const patient = await openStorage(url);
    stores.push(patient);
    await patient.migrate();
    const sessions = Array.from({ length: SESSIONS }, (_, number) => newRecord({ userId: userId(`user-${number}`) }));
    await patient.importSessions(sessions);
    // Time-outs that end about when the answers come.
    for (const timeout of [2, 3, 5])
      for (let tries = 0; ; tries += 1)
        try {
          stores.push(await openStorage(`${url}&timeout=${timeout}`));
          break;
        } catch (error) {
          if (tries === 1000) throw error;
        }
    const lane = async (/** @type {import("./random.mjs").Random} */ random) => {
      while (aborted < count) {
        const { id, secretHash } = random.pick(sessions);
        const store = random.pick(stores.slice(1));
        const ask = random.chance(0.5)
          ? async () => (await store.getSession(id))?.id
          : async () => {
              const lifetimes = { refreshValidity: millis(8_640_000_000) };
              const attempt = { id, seq: 0, iat: millis(0), secretHash, window: millis(0), lifetimes };
              return (await store.rotate(attempt)).record?.id;
            };
        try {
          if ((await ask()) !== id) failures += 1;
          answered += 1;
        } catch (error) {
          if (!(error instanceof StorageError) || error.code !== "unavailable") throw error;
          aborted += 1;
          if (aborted % 1000 === 0) progress(aborted);
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, index) => lane(createRandom(seed + index))));
    for (const session of sessions) {
      const row = await patient.getSession(session.id);
      if (row?.id !== session.id || row?.userId !== session.userId) failures += 1;
    }
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  }
  return { count: aborted, failures, note: `${answered} answered beside them on the same connections` };
};
