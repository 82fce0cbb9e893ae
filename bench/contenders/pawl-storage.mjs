import { inFlight } from "./in-flight.mjs";
import { newRecord, openFilled } from "./session-rows.mjs";

/**
 * `createSession` of the storage, without tokens.
 * @param {{ directory: string }} settings
 */
export const createSessions = async ({ directory }) => {
  const { storage } = await openFilled(`${directory}/storage-create.db`, 0);
  return { pass: inFlight(() => storage.createSession(newRecord())), close: () => storage.close() };
};

/**
 * `rotate` of the storage, without tokens.
 * @param {{ directory: string, sessions: number }} settings
 */
export const refreshSessions = async ({ directory, sessions }) => {
  const { storage, records } = await openFilled(`${directory}/storage-refresh.db`, sessions);
  const seqs = records.map(() => 0);
  const lifetimes = { refreshValidity: /** @type {any} */ (100 * 86_400_000) };
  let turn = 0;
  const rotateNext = async () => {
    const place = turn++ % records.length;
    const { id, secretHash } = /** @type {import("@pawl/storage").SessionRecord} */ (records[place]);
    const seq = /** @type {number} */ (seqs[place]);
    const now = storage.now();
    const { minted } = await storage.rotate({
      id,
      seq,
      iat: now,
      secretHash,
      window: /** @type {any} */ (0),
      lifetimes,
    });
    if (!minted) throw new Error("a rotation was refused");
    seqs[place] = seq + 1;
  };
  return { pass: inFlight(rotateNext), close: () => storage.close() };
};
