import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { openStorage } from "@pawl/storage";
import { latencyOf } from "../latency.mjs";
import { fill, newRecord } from "./session-rows.mjs";
import { runTimed } from "./timed-program.mjs";

/** The id of the n-th row, which SQL can make from the number. */
const idOf = (/** @type {number} */ n) =>
  `${(n % 65_536).toString(16).padStart(4, "0")}0000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const BUCKET = ":n::integer % 65536";
const ID = `lpad(to_hex(${BUCKET}), 4, '0') || '0000-0000-4000-8000-' || lpad(:n::text, 12, '0')`;

const NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** What a refresh does to its row, on the adapter's own table with its indexes, with the same conditions and the same answer. */
const UPDATE = `UPDATE bare.sessions SET current = next, next = next + 1, issued_at = ${NOW}, expires_at = ${NOW} + 8640000000
  WHERE bucket = ${BUCKET} AND id = ${ID} AND secret_hash <> '' AND current <= next AND ended_at IS NULL
    AND ${NOW} < expires_at AND ${NOW} < idle_expires_at RETURNING *, ${NOW}`;

const INSERT = `INSERT INTO bare.sessions (bucket, id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind,
    created_at, last_active_at, expires_at, idle_expires_at, sweep_at, payload, data)
  SELECT hash & 65535, lpad(to_hex(hash & 65535), 4, '0') || substr(gen_random_uuid()::text, 5), 'public', 'user-' || hash,
    '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU', 0, 0, 0, 'dynamic', now, now, now + 8640000000, 8640000000000000,
    now + 8640000000, '{"role":"member"}', '{}'
  FROM (SELECT :n::bigint AS hash, ${NOW} AS now) AS made`;

/** Runs `pgbench`; gives transactions per second without the time of connecting, and the CPU time of its process. */
const run = async (/** @type {string} */ program, /** @type {string[]} */ parameters) => {
  const { output, cpuMicros } = await runTimed(program, parameters);
  const perSecond = Number(/tps = ([\d.]+)/.exec(output)?.[1]);
  const operations = Number(/transactions actually processed: (\d+)/.exec(output)?.[1]);
  const failed = /number of failed transactions: (\d+)/.exec(output)?.[1] ?? "0";
  if (failed !== "0" || !(perSecond > 0)) throw new Error(`pgbench: ${output.slice(-800)}`);
  return { perSecond, operations, cpuMicros };
};

/** Latencies out of the log that `pgbench` left, which is removed. The third of a line's numbers is microseconds. */
const takeLog = (/** @type {string} */ directory, /** @type {string} */ prefix) => {
  const names = readdirSync(directory).filter((name) => name.startsWith(`${prefix}.`));
  const lines = names.flatMap((name) => readFileSync(`${directory}/${name}`, "utf8").trim().split("\n"));
  for (const name of names) rmSync(`${directory}/${name}`);
  return lines.map((line) => Number(line.split(" ")[2]));
};

/** Of so many transactions the time is logged: to log all of them would be felt. */
const SAMPLED = "0.1";

/**
 * `pgbench -M prepared` with one statement a transaction, on a schema of its own.
 * @param {{ url: string, programs: string, directory: string, clients: number, sessions: number, statement: "UPDATE" | "INSERT" }} settings
 */
export const pgbench = async ({ url, programs, directory, clients, sessions, statement }) => {
  const storage = await openStorage(`${url}?schema=bare`);
  await storage.migrate();
  const records =
    statement === "INSERT" ? [] : Array.from({ length: sessions }, (_, n) => ({ ...newRecord(), id: idOf(n) }));
  await fill(storage, /** @type {any} */ (records));
  await storage.close();
  const script = `${directory}/${statement}.pgbench`;
  const log = `pgbench-${statement}-${clients}`;
  const most = statement === "INSERT" ? 2_000_000_000 : sessions - 1;
  writeFileSync(
    script,
    `\\set n random(0, ${most})\n${(statement === "INSERT" ? INSERT : UPDATE).replaceAll(/\s+/g, " ")};\n`,
  );
  const { hostname, port, username, pathname } = new URL(url);
  const address = ["-h", hostname, "-p", port, "-U", username, pathname.slice(1)];
  return {
    slice: async (/** @type {number} */ millis) => {
      // Whole seconds are what it takes; a round is as many transactions as about fit into the slice.
      const each = Math.max(
        20,
        Math.round(((millis / 1000) * (statement === "INSERT" ? 3000 : 4000)) / Math.max(clients, 4)),
      );
      const parameters = ["-n", "-M", "prepared", "-c", String(clients), "-j", "1", "-t", String(each), "-f", script];
      const logging = ["-l", "--sampling-rate", SAMPLED, "--log-prefix", `${directory}/${log}`];
      const { perSecond, operations, cpuMicros } = await run(`${programs}/pgbench`, [
        ...parameters,
        ...logging,
        ...address,
      ]);
      return {
        operations,
        micros: (operations / perSecond) * 1e6,
        cpuMicros,
        memoryBytes: 0,
        latency: latencyOf(takeLog(directory, log)),
      };
    },
  };
};
