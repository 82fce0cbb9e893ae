import type { EventType } from "@pawl/storage";
import { eventColumns, eventFacts } from "./event-columns.js";

/**
 * Writes out every `intoOutbox` of a statement: as nothing where no types of events go to the outbox, because its parts
 * would be planned all the same. Whoever settles an entry locks its queue, as this does: so no queue is forgotten while
 * something is put into it.
 */
export const writeOutboxParts = (text: string, types: readonly EventType[]): string =>
  text.replaceAll(/\{outbox ([a-z ]+)\}/gu, (_, names: string) => {
    if (types.length === 0) return "";
    const parts = names.split(" ").map((name, index) => `SELECT ${index} AS part, * FROM ${name}`);
    const wanted = types.map((type) => `'${type.replaceAll("'", "''")}'`);
    return `, queued AS (
      INSERT INTO {schema}.outbox (queue, ${eventColumns})
      SELECT coalesce(session_id, key), ${eventFacts}, initial FROM (${parts.join(" UNION ALL ")}) AS appended
      WHERE is_new AND type IN (${wanted.join(", ")}) ORDER BY part, place
      ON CONFLICT (key) DO NOTHING RETURNING queue, at
    ), awaited AS (
      INSERT INTO {schema}.outbox_queues (queue, due_at) SELECT queue, min(at) FROM queued GROUP BY queue ORDER BY queue
      ON CONFLICT (queue) DO UPDATE SET queue = excluded.queue
    )`;
  });
