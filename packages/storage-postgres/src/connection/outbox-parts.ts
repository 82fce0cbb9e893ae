import type { OutboxTypes } from "@pawl/storage/adapter";
import { eventColumns, eventFacts } from "./event-columns.js";

/**
 * Writes out every `intoOutbox` of a statement: as nothing where no events go to the outbox, because its parts would be
 * planned all the same. Whoever settles an entry locks its queue, as this does: so no queue is forgotten while something is
 * put into it.
 */
export const writeOutboxParts = (text: string, types: OutboxTypes): string =>
  text.replaceAll(/\{outbox ([a-z ]+)\}/gu, (_, names: string) => {
    if (types.size === 0) return "";
    const parts = names.split(" ").map((name, index) => `SELECT ${index} AS part, * FROM ${name}`);
    const wanted = [...types].flatMap(([type, ids]) => ids.map((id) => `('${type.replaceAll("'", "''")}', '${id}')`));
    return `, queued AS (
      INSERT INTO {schema}.outbox (queue, destination, ${eventColumns})
      SELECT destination || ' ' || coalesce(session_id, key), destination, ${eventFacts}, initial
      FROM (${parts.join(" UNION ALL ")}) AS appended
      JOIN (VALUES ${wanted.join(", ")}) AS wanted (type, destination) USING (type)
      WHERE is_new ORDER BY part, place
      ON CONFLICT (key, destination) DO NOTHING RETURNING queue, at
    ), awaited AS (
      INSERT INTO {schema}.outbox_queues (queue, due_at) SELECT queue, min(at) FROM queued GROUP BY queue ORDER BY queue
      ON CONFLICT (queue) DO UPDATE SET queue = excluded.queue
    )`;
  });
