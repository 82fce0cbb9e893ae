import { sign } from "node:crypto";
import { createSigner } from "./access-tokens.mjs";
import { IN_FLIGHT } from "./in-flight.mjs";
import { newRecord, openFilled } from "./session-rows.mjs";
import { openDatabase } from "./sqlite.mjs";

const INSERT = `INSERT INTO sessions (id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind,
  created_at, last_active_at, expires_at, idle_expires_at, sweep_at, payload, data)
  VALUES (?, ?, ?, ?, 0, 0, 0, 'dynamic', ?, ?, ?, ?, ?, ?, ?)`;

/** It returns the row: the answer to a refresh is made from it. */
const UPDATE = `UPDATE sessions SET current = ?, next = ?, issued_at = ?, expires_at = ?
  WHERE id = ? AND current = ? AND next = ? AND ended_at IS NULL RETURNING *`;

/**
 * The least a durable write can be: Pawl's own table, one prepared statement, as many to a transaction as are in flight
 * elsewhere, and nothing else; or with the one signature that an access token needs.
 */
const grouped = (/** @type {any} */ database, /** @type {boolean} */ signs, /** @type {() => boolean} */ write) => {
  const { privateKey } = createSigner("ES256");
  const key = /** @type {const} */ ({ key: privateKey, dsaEncoding: "ieee-p1363" });
  const signed = Buffer.alloc(450, "x");
  const signatures = signs ? IN_FLIGHT : 0;
  return {
    pass: () => {
      for (let group = 0; group < 20; group++) {
        database.exec("BEGIN IMMEDIATE");
        for (let i = 0; i < IN_FLIGHT; i++) if (!write()) throw new Error("nothing was written");
        database.exec("COMMIT");
        for (let i = 0; i < signatures; i++) sign("sha256", signed, key);
      }
      return 20 * IN_FLIGHT;
    },
    close: () => database.close(),
  };
};

/** @param {{ directory: string, signs: boolean }} settings */
export const createRows = async ({ directory, signs }) => {
  const path = `${directory}/bare-create-${signs}.db`;
  const { storage } = await openFilled(`sqlite:${path}`, 0);
  await storage.close();
  const database = openDatabase(path);
  const insert = database.prepare(INSERT);
  return grouped(database, signs, () => {
    const { id, tenantId, userId, secretHash, createdAt, expiresAt, idleExpiresAt, payload, data } = newRecord();
    const times = [createdAt, createdAt, expiresAt, idleExpiresAt, expiresAt];
    return Number(insert.run(id, tenantId, userId, secretHash, ...times, payload, data).changes) === 1;
  });
};

/** @param {{ directory: string, signs: boolean, sessions: number }} settings */
export const refreshRows = async ({ directory, signs, sessions }) => {
  const path = `${directory}/bare-refresh-${signs}.db`;
  const { storage, records } = await openFilled(`sqlite:${path}`, sessions);
  await storage.close();
  const database = openDatabase(path);
  const update = database.prepare(UPDATE);
  const rows = records.map(({ id }) => ({ id, current: 0, next: 0 }));
  let turn = 0;
  return grouped(database, signs, () => {
    const row = /** @type {(typeof rows)[number]} */ (rows[turn++ % rows.length]);
    const before = { ...row };
    row.current = row.next;
    row.next++;
    const now = Date.now();
    const changed = update.get(row.current, row.next, now, now + 8_640_000_000, row.id, before.current, before.next);
    return changed !== undefined;
  });
};
