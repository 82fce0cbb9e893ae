import { type Millis, type SessionSelector, type SigningKeyKind, type TenantId, type UserId } from "@pawl/storage";
import type { LiveRow, ReferenceRow, SessionRow } from "@pawl/storage/adapter";
import type { Query } from "../connection/database.js";
import { type Listed, ofTenant } from "../statements.js";

const sessionColumns = `id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind, created_at,
  last_active_at, expires_at, idle_expires_at, ended_at, end_reason, device, address, payload, data, facts, facts_version,
  payload_version, bound, link, subject`;

const referenceColumns = "id, tenant_id, user_id";

const live = "ended_at IS NULL AND :now < expires_at AND :now < idle_expires_at";

export const insertSession = `
  INSERT INTO sessions (${sessionColumns}, sweep_at)
  VALUES (:id, :tenantId, :userId, :secretHash, :current, :next, :issuedAt, :keyKind, :createdAt,
    :lastActiveAt, :expiresAt, :idleExpiresAt, :endedAt, :endReason, :device, :address, :payload, :data, :facts,
    :factsVersion, :payloadVersion, :bound, :link, :subject, :expiresAt)`;

/** Moves a row between stores: one whose id is taken is left. */
export const importSession = `${insertSession} ON CONFLICT (id) DO NOTHING`;

export const selectSession = `SELECT ${sessionColumns} FROM sessions WHERE id = :id` as Query<SessionRow>;

/** The sessions of a user beyond the `:keep` most recently refreshed ones. */
export const selectSurplus = `
  SELECT ${referenceColumns} FROM sessions
  WHERE user_id = :userId AND tenant_id = :tenantId AND ${live}
  ORDER BY max(issued_at, created_at) DESC, id DESC LIMIT -1 OFFSET :keep` as Query<ReferenceRow>;

/** What a rotation leaves as it was, with what it alone knows. */
type RotatedColumns = readonly [
  next: number,
  expiresAt: Millis,
  keyKind: SigningKeyKind,
  tenantId: TenantId,
  userId: UserId,
  createdAt: Millis,
  lastActiveAt: Millis,
  device: string | null,
  address: string | null,
  payload: string,
  data: string,
  facts: string,
  factsVersion: number,
  payloadVersion: number,
  bound: string,
  link: string | null,
  subject: string | null,
];

/**
 * The ordinary mint: the `mint` of `decideRotation`, and `afterMint`, in one statement. Returns what the caller does
 * not know: each column costs both drivers as much as the whole guard.
 */
export const rotateSession = `
  UPDATE sessions
  SET current = :seq, next = next + 1, issued_at = :now,
    expires_at = min(:now + :refreshValidity, created_at + :absoluteTimeout), idle_expires_at = :idleExpiresAt,
    key_kind = coalesce(:keyKind, key_kind)
  WHERE id = :id AND secret_hash = :secretHash AND ${live} AND (bound = '' OR bound = :proof) AND :seq <= next
    AND NOT (:window > 0 AND (:now - issued_at <= :window OR (:seq = next AND :now - :iat <= :window)))
    AND (:seq = current OR :seq = next
      OR (current < :seq AND :seq < next AND :window > 0 AND issued_at - :iat <= :window))
  RETURNING next, expires_at, key_kind, tenant_id, user_id, created_at, last_active_at, device, address, payload,
    data, facts, facts_version, payload_version, bound, link, subject` as Query<RotatedColumns>;

/** Writes the columns that a rotation or a use changes. */
export const updateRotation = `
  UPDATE sessions
  SET current = :current, next = :next, issued_at = :issuedAt, last_active_at = :lastActiveAt,
    expires_at = :expiresAt, idle_expires_at = :idleExpiresAt, key_kind = :keyKind
  WHERE id = :id`;

/** `afterChange`, where the row is live and the expected one. */
export const changeSession = `
  UPDATE sessions
  SET payload = coalesce(:payload, payload), data = coalesce(:data, data), facts = coalesce(:facts, facts),
    bound = coalesce(:bound, bound), facts_version = facts_version + (:facts IS NOT NULL),
    payload_version = payload_version + (:payload IS NOT NULL OR :announced)
  WHERE id = :id AND ${live} AND next = coalesce(:expectedNext, next)
    AND facts_version = coalesce(:expectedFacts, facts_version)
    AND payload_version = coalesce(:expectedPayload, payload_version)
  RETURNING ${sessionColumns}` as Query<SessionRow>;

export const selectLive = `
  SELECT tenant_id, payload_version, expires_at, idle_expires_at FROM sessions WHERE id = :id AND ${live}` as Query<LiveRow>;

const end = "UPDATE sessions SET ended_at = :now, end_reason = :reason, payload = '{}', data = '{}', facts = '{}'";

/** With a tenant only when the session is of that tenant. */
export const endSession = `
  ${end} WHERE id = :id AND (:tenantId IS NULL OR tenant_id = :tenantId) AND ${live} RETURNING ${referenceColumns}` as Query<ReferenceRow>;

/** Ends the first `:limit` of some live sessions, all where it is negative. */
const endSome = (some: string): Query<ReferenceRow> =>
  `${end} WHERE id IN (SELECT id FROM sessions ${some} AND ${live} LIMIT :limit) RETURNING ${referenceColumns}`;

export const endSessionsOfUser = endSome("WHERE user_id = :userId AND tenant_id = :tenantId");

export const endSessionsOfUserExcept = endSome("WHERE user_id = :userId AND tenant_id = :tenantId AND id <> :exceptId");

/** By the index of tenants or, for the public one, of users: they hold no session that a batch before has ended. */
export const endSessionsOfTenant = (tenantId: string): Query<ReferenceRow> => endSome(`WHERE ${ofTenant(tenantId)}`);

const historyOfUser = (ended: string): Query<SessionRow> =>
  `SELECT ${sessionColumns} FROM sessions
  WHERE user_id = :userId AND tenant_id = :tenantId AND ended_at IS ${ended} AND id > :after ORDER BY id LIMIT :limit`;

export const selectEndedOfUser = historyOfUser("NOT NULL");
export const selectOthersOfUser = historyOfUser("NULL");

const ofUser = "FROM sessions WHERE user_id = :userId AND tenant_id = :tenantId AND ended_at IS";

/** Two statements, because each of the two has its partial index. */
export const selectOthersToErase = `SELECT ${referenceColumns}, ${live} AS live ${ofUser} NULL LIMIT :limit` as Query<
  ReferenceRow & { readonly live: 0 | 1 }
>;
export const selectEndedToErase = `SELECT id ${ofUser} NOT NULL LIMIT :limit` as Query<Pick<ReferenceRow, "id">>;

/** A page of live sessions by id. The indexes of logins are the shortest way, then that of users, whatever the tenant. */
export const listSessions = (selector: Listed<SessionSelector>): Query<SessionRow> =>
  `SELECT ${sessionColumns} ${fromSessions(selector)}`;

/** As `listSessions`, only what names them. */
export const listReferences = (selector: Listed<SessionSelector>): Query<ReferenceRow> =>
  `SELECT ${referenceColumns} ${fromSessions(selector)}`;

const fromSessions = ({ userId, tenantId, link, subject, after }: Listed<SessionSelector>): string => {
  const conditions = [live];
  if (link !== undefined) conditions.push("link = :link");
  if (subject !== undefined) conditions.push("subject = :subject");
  if (userId !== undefined) conditions.push("user_id = :userId");
  if (tenantId !== undefined)
    conditions.push((link ?? subject ?? userId) === undefined ? ofTenant(tenantId) : "tenant_id = :tenantId");
  if (after !== undefined) conditions.push("id > :after");
  return `FROM sessions WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT :limit`;
};

type SweepRow = ReferenceRow & Pick<SessionRow, "expires_at" | "idle_expires_at" | "ended_at">;

/** The next rows for the sweep to look at, with what is needed to tell their end. */
export const selectToSweep = `
  SELECT ${referenceColumns}, expires_at, idle_expires_at, ended_at FROM sessions
  WHERE sweep_at <= :before ORDER BY sweep_at LIMIT :limit` as Query<SweepRow>;

export const postponeSweep = "UPDATE sessions SET sweep_at = expires_at WHERE id = :id";

export const deleteSession = "DELETE FROM sessions WHERE id = :id";
