import { inFlight } from "./in-flight.mjs";
import { openFilled } from "./session-rows.mjs";

const NOW = () => Date.now();
const YEAR = 365 * 86_400_000;

/**
 * A rotation as a transaction of four trips: begin, lock and read the row, write it, commit.
 * @param {(record: import("@pawl/storage").SessionRecord) => Promise<void>} rotate
 * @param {readonly import("@pawl/storage").SessionRecord[]} records
 */
const rotating = (rotate, records) => {
  let turn = 0;
  return () => rotate(/** @type {any} */ (records[(turn++ * 7919) % records.length]));
};

/**
 * Through `pg`, with prepared statements and a connection for each that is under way.
 * @param {{ url: string, sessions: number, lanes: number }} settings
 */
export const postgres = async ({ url, sessions, lanes }) => {
  const { storage, records } = await openFilled(`${url}?schema=four_trips`, sessions);
  await storage.close();
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, max: lanes });
  const select = {
    name: "lock",
    text: "SELECT * FROM four_trips.sessions WHERE bucket = $1 AND id = $2 AND ended_at IS NULL FOR UPDATE",
  };
  const update = {
    name: "rotate",
    text: `UPDATE four_trips.sessions SET current = next, next = next + 1, issued_at = $3, expires_at = $4
      WHERE bucket = $1 AND id = $2`,
  };
  const rotate = async (/** @type {import("@pawl/storage").SessionRecord} */ { id }) => {
    const client = await pool.connect();
    const key = [Number.parseInt(id.slice(0, 4), 16), id];
    await client.query("BEGIN");
    const { rowCount } = await client.query({ ...select, values: key });
    if (rowCount !== 1) throw new Error("a row is missing");
    await client.query({ ...update, values: [...key, NOW(), NOW() + YEAR] });
    await client.query("COMMIT");
    client.release();
  };
  return { ...inFlight(rotating(rotate, records), lanes), close: () => pool.end() };
};

/** Through `mysql2`, likewise. @param {{ url: string, sessions: number, lanes: number }} settings */
const mysqlPool = async ({ url, sessions, lanes }) => {
  const { storage, records } = await openFilled(url, sessions);
  await storage.close();
  const { createPool } = await import("mysql2/promise");
  return { pool: createPool({ uri: url, connectionLimit: lanes }), records };
};

const KEY = "WHERE bucket = ? AND id = ?";
const SET = "UPDATE sessions SET current = next, next = next + 1, issued_at = ?, expires_at = ?";
const keyOf = (/** @type {string} */ id) => [Number.parseInt(id.slice(0, 4), 16), id];

/** @param {{ url: string, sessions: number, lanes: number }} settings */
export const mysql = async (settings) => {
  const { pool, records } = await mysqlPool(settings);
  const rotate = async (/** @type {import("@pawl/storage").SessionRecord} */ { id }) => {
    const connection = await pool.getConnection();
    await connection.query("START TRANSACTION");
    await connection.execute(`SELECT * FROM sessions ${KEY} AND ended_at IS NULL FOR UPDATE`, keyOf(id));
    await connection.execute(`${SET} ${KEY}`, [NOW(), NOW() + YEAR, ...keyOf(id)]);
    await connection.query("COMMIT");
    connection.release();
  };
  return { ...inFlight(rotating(rotate, records), settings.lanes), close: () => pool.end() };
};

/**
 * The bare statement, prepared, a transaction of its own.
 * @param {{ url: string, sessions: number, lanes: number }} settings
 */
export const mysqlStatement = async (settings) => {
  const { pool, records } = await mysqlPool(settings);
  const rotate = async (/** @type {import("@pawl/storage").SessionRecord} */ { id }) => {
    await pool.execute(`${SET} ${KEY} AND ended_at IS NULL`, [NOW(), NOW() + YEAR, ...keyOf(id)]);
  };
  return { ...inFlight(rotating(rotate, records), settings.lanes), close: () => pool.end() };
};
