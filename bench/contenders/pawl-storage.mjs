import { inFlight } from "./in-flight.mjs";
import { newRecord, openFilled } from "./session-rows.mjs";

/**
 * `createSession` of a storage, without tokens.
 * @param {{ url: string, lanes?: number }} settings
 */
export const createSessions = async ({ url, lanes }) => {
  const { storage } = await openFilled(url, 0);
  return { ...inFlight(() => storage.createSession(newRecord()), lanes), close: () => storage.close() };
};

/**
 * `rotate` of a storage, without tokens.
 * @param {{ url: string, sessions: number, lanes?: number }} settings
 */
export const refreshSessions = async ({ url, sessions, lanes }) => {
  const { storage, records } = await openFilled(url, sessions);
  return { ...inFlight(rotator(storage, records), lanes), close: () => storage.close() };
};

/**
 * An operation that refreshes the next of the sessions, all of which are new.
 * @param {import("@pawl/storage").Storage} storage
 * @param {readonly import("@pawl/storage").SessionRecord[]} records
 */
export const rotator = (storage, records) => {
  const seqs = new Uint32Array(records.length);
  const lifetimes = { refreshValidity: /** @type {any} */ (100 * 86_400_000) };
  let turn = 0;
  return async () => {
    // In steps that share no factor with their number: neighbours in time are none in the table.
    const place = (turn++ * 7919) % records.length;
    const { id, secretHash } = /** @type {import("@pawl/storage").SessionRecord} */ (records[place]);
    const seq = /** @type {number} */ (seqs[place]);
    const iat = storage.now();
    const window = /** @type {any} */ (0);
    const { minted } = await storage.rotate({ id, seq, iat, secretHash, window, lifetimes });
    if (!minted) throw new Error("a rotation was refused");
    seqs[place] = seq + 1;
  };
};
