import type { EventRecord, EventType, Millis, SessionRecord, TenantId, UserId } from "@pawl/storage";

const HOUR = 3_600_000;

/** An alarm about a session: one per session and hour, later ones add to its count. */
const hourly = (
  type: EventType,
  row: SessionRecord,
  what: { readonly at: Millis; readonly detail?: object },
): EventRecord => ({
  key: `${type}:${row.id}:${Math.floor(what.at / HOUR)}`,
  at: what.at,
  type,
  tenantId: row.tenantId,
  userId: row.userId,
  sessionId: row.id,
  ...(what.detail === undefined ? {} : { detail: JSON.stringify(what.detail) }),
  count: 1,
});

/** A refresh token was presented that no honest client can still hold. */
export const tokenReuseEvent = (row: SessionRecord, seq: number, at: Millis): EventRecord =>
  hourly("token_reuse", row, { at, detail: { presented: seq, current: row.current, next: row.next } });

/** A refresh token opened, yet does not carry the session's secret. */
export const forgedTokenEvent = (row: SessionRecord, at: Millis): EventRecord => hourly("forged_token", row, { at });

/** A refresh token was newer than its row: the store lost commits. */
export const fastForwardEvent = (row: SessionRecord, seq: number, at: Millis): EventRecord =>
  hourly("fast_forward", row, { at, detail: { presented: seq, current: row.current, next: row.next } });

/** A refresh of a bound session came without a proof of its key, or with one of another key. */
export const unprovenRefreshEvent = (row: SessionRecord, proof: "missing" | "foreign", at: Millis): EventRecord =>
  hourly("unproven_refresh", row, { at, detail: { proof } });

/**
 * Something that an operator did.
 * @param detail `act`, `by`, and further facts. Names of users belong into `owner`, where an erasure finds them.
 */
export const adminEvent = (
  at: Millis,
  detail: Readonly<Record<string, unknown>>,
  owner: { readonly tenantId?: TenantId | undefined; readonly userId?: UserId | undefined } = {},
): EventRecord => ({
  key: `admin:${crypto.randomUUID()}`,
  at,
  type: "admin",
  ...(owner.tenantId === undefined ? {} : { tenantId: owner.tenantId }),
  ...(owner.userId === undefined ? {} : { userId: owner.userId }),
  detail: JSON.stringify(detail),
  count: 1,
});
