import { bucketOf, type Millis, type SessionId, type SessionRecord } from "@pawl/storage";
import { keyOf, longTextsOf } from "../index-key.js";
import type { SweepRow } from "../rows.js";
import { join, type Sql, sql } from "../connection/sql.js";

/** The bucket column of a session: 0 where the id is not one that the engine makes. */
export const bucketColumn = (id: SessionId): number => bucketOf(id) || 0;

/** Whether a row that has not ended is live. */
export const isUnexpired = (row: Pick<SweepRow, "expires_at" | "idle_expires_at">, now: Millis): boolean =>
  now < row.expires_at && now < row.idle_expires_at;

/** A record as a row of the statement that inserts it, in the order of `sessionColumns`. */
export const valuesOf = (record: SessionRecord): Sql => {
  const { id, tenantId, userId, link, subject, expiresAt } = record;
  return sql`(${join([
    bucketColumn(id),
    keyOf(id),
    keyOf(tenantId),
    keyOf(userId),
    longTextsOf({ id, tenantId, userId, link, subject }),
    record.secretHash,
    record.current,
    record.next,
    record.issuedAt,
    record.keyKind,
    record.createdAt,
    record.lastActiveAt,
    expiresAt,
    record.idleExpiresAt,
    record.endedAt,
    record.endReason,
    record.device,
    record.address,
    record.payload,
    record.data,
    record.facts,
    record.factsVersion,
    record.payloadVersion,
    record.bound,
    link === undefined ? link : keyOf(link),
    subject === undefined ? subject : keyOf(subject),
    expiresAt,
  ])})`;
};
