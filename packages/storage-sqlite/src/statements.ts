import {
  type EventSelector,
  type MetaRecord,
  type Millis,
  PUBLIC_TENANT,
  type SessionSelector,
  type SigningKeyKind,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import type { Query } from "./connection/database.js";
import type { EventRow, ReferenceRow, RevocationRow, SessionRow, SigningKeyRow } from "@pawl/storage/adapter";

const sessionColumns = `id, tenant_id, user_id, secret_hash, current, next, issued_at, key_kind, created_at,
  last_active_at, expires_at, idle_expires_at, ended_at, end_reason, device, address, payload, data`;

const referenceColumns = "id, tenant_id, user_id";

const live = "ended_at IS NULL AND :now < expires_at AND :now < idle_expires_at";

export const insertSession = `
  INSERT INTO sessions (${sessionColumns}, sweep_at)
  VALUES (:id, :tenantId, :userId, :secretHash, :current, :next, :issuedAt, :keyKind, :createdAt,
    :lastActiveAt, :expiresAt, :idleExpiresAt, :endedAt, :endReason, :device, :address, :payload, :data, :expiresAt)`;

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
  WHERE id = :id AND secret_hash = :secretHash AND ${live} AND :seq <= next
    AND NOT (:window > 0 AND (:now - issued_at <= :window OR (:seq = next AND :now - :iat <= :window)))
    AND (:seq = current OR :seq = next
      OR (current < :seq AND :seq < next AND :window > 0 AND issued_at - :iat <= :window))
  RETURNING next, expires_at, key_kind, tenant_id, user_id, created_at, last_active_at, device, address, payload,
    data` as Query<RotatedColumns>;

/** Writes the columns that a rotation or a use changes. */
export const updateRotation = `
  UPDATE sessions
  SET current = :current, next = :next, issued_at = :issuedAt, last_active_at = :lastActiveAt,
    expires_at = :expiresAt, idle_expires_at = :idleExpiresAt, key_kind = :keyKind
  WHERE id = :id`;

export const updateData = `UPDATE sessions SET data = :value WHERE id = :id AND ${live}`;

export const updatePayload = `UPDATE sessions SET payload = :value WHERE id = :id AND ${live}`;

const end = "UPDATE sessions SET ended_at = :now, end_reason = :reason, payload = '{}', data = '{}'";

/** With a tenant only when the session is of that tenant. */
export const endSession = `
  ${end} WHERE id = :id AND (:tenantId IS NULL OR tenant_id = :tenantId) AND ${live} RETURNING ${referenceColumns}` as Query<ReferenceRow>;

export const endSessionsOfUser = `
  ${end} WHERE user_id = :userId AND tenant_id = :tenantId AND ${live} RETURNING ${referenceColumns}` as Query<ReferenceRow>;

export const endSessionsOfUserExcept = `
  ${end} WHERE user_id = :userId AND tenant_id = :tenantId AND id <> :exceptId AND ${live}
  RETURNING ${referenceColumns}` as Query<ReferenceRow>;

export const selectLiveOfUser = `
  SELECT ${referenceColumns} FROM sessions WHERE user_id = :userId AND tenant_id = :tenantId AND ${live}` as Query<ReferenceRow>;

const historyOfUser = (ended: string): Query<SessionRow> =>
  `SELECT ${sessionColumns} FROM sessions
  WHERE user_id = :userId AND tenant_id = :tenantId AND ended_at IS ${ended} AND id > :after ORDER BY id LIMIT :limit`;

export const selectEndedOfUser = historyOfUser("NOT NULL");
export const selectOthersOfUser = historyOfUser("NULL");

const deleteOfUser = "DELETE FROM sessions WHERE user_id = :userId AND tenant_id = :tenantId AND ended_at IS";

/** Two statements, because each of the two has its partial index. */
export const deleteEndedOfUser = `${deleteOfUser} NOT NULL`;
export const deleteOthersOfUser = `${deleteOfUser} NULL`;

/** The partial index of tenants does not hold the public one, and SQLite uses it only when the statement says so. */
const ofTenant = (tenantId: string): string =>
  tenantId === PUBLIC_TENANT ? "tenant_id = :tenantId" : "tenant_id = :tenantId AND tenant_id <> 'public'";

export const endSessionsOfTenant = (tenantId: string): Query<ReferenceRow> =>
  `${end} WHERE ${ofTenant(tenantId)} AND ${live} RETURNING ${referenceColumns}`;

/** What a page lists, and whether it begins after a row. */
type Listed<Selector> = Selector & { readonly after?: string | undefined };

/** A page of live sessions by id. With a user the index of users is the shorter way, whatever the tenant. */
export const listSessions = (selector: Listed<SessionSelector>): Query<SessionRow> =>
  `SELECT ${sessionColumns} ${fromSessions(selector)}`;

/** As `listSessions`, only what names them. */
export const listReferences = (selector: Listed<SessionSelector>): Query<ReferenceRow> =>
  `SELECT ${referenceColumns} ${fromSessions(selector)}`;

const fromSessions = ({ userId, tenantId, after }: Listed<SessionSelector>): string => {
  const conditions = [live];
  if (userId !== undefined) conditions.push("user_id = :userId");
  if (tenantId !== undefined) conditions.push(userId === undefined ? ofTenant(tenantId) : "tenant_id = :tenantId");
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

export const insertRevocation = `
  INSERT INTO revocations (session_id, tenant_id, user_id, at, reason)
  VALUES (:id, :tenantId, :userId, :at, :reason)`;

const revocationColumns = "number, session_id, tenant_id, user_id, at, reason";

export const selectRevocationsAfter = `
  SELECT ${revocationColumns} FROM revocations WHERE number > :number ORDER BY number LIMIT :limit` as Query<RevocationRow>;

export const selectRevocationsSince = `
  SELECT ${revocationColumns} FROM revocations
  WHERE number >= (SELECT min(number) FROM revocations WHERE at >= :at) AND +at >= :at ORDER BY number LIMIT :limit` as Query<RevocationRow>;

export const selectRevocation = "SELECT session_id FROM revocations WHERE number = :number" as Query<
  Pick<RevocationRow, "session_id">
>;

/** The greatest number ever given, also when its row has been deleted. */
export const selectLastRevocation = "SELECT seq AS number FROM sqlite_sequence WHERE name = 'revocations'" as Query<
  Pick<RevocationRow, "number">
>;

export const deleteRevocations = `
  DELETE FROM revocations WHERE number IN (SELECT number FROM revocations WHERE at < :before ORDER BY at LIMIT :limit)`;

export const insertEvent = `
  INSERT INTO events (key, at, type, tenant_id, user_id, session_id, reason, detail, count)
  VALUES (:key, :at, :type, :tenantId, :userId, :sessionId, :reason, :detail, :count)
  ON CONFLICT (key) DO UPDATE SET count = count + excluded.count`;

/** A page of events, newest first. */
export const listEvents = (selector: Listed<EventSelector>): Query<EventRow> => {
  const { sessionId, tenantId, userId, types, after } = selector;
  const conditions: string[] = [];
  if (sessionId !== undefined) conditions.push("session_id = :sessionId");
  if (userId !== undefined) conditions.push("user_id = :userId");
  if (tenantId !== undefined)
    conditions.push(sessionId === undefined && userId === undefined ? ofTenant(tenantId) : "tenant_id = :tenantId");
  if (types !== undefined) {
    conditions.push("type IN (SELECT value FROM json_each(:types))");
    if (!types.includes("session_ended")) conditions.push("type <> 'session_ended'");
  }
  if (after !== undefined) conditions.push("(at, key) < (:at, :key)");
  return `SELECT key, at, type, tenant_id, user_id, session_id, reason, detail, count FROM events
    ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`} ORDER BY at DESC, key DESC LIMIT :limit`;
};

export const deleteEvents = `
  DELETE FROM events WHERE key IN (SELECT key FROM events WHERE at < :before ORDER BY at LIMIT :limit)`;

export const deleteEventsOfUser = "DELETE FROM events WHERE user_id = :userId AND tenant_id = :tenantId";

export const selectSigningKeys = `
  SELECT kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from FROM signing_keys
  ORDER BY created_at, kid` as Query<SigningKeyRow>;

export const selectNewestSigningKey = `
  SELECT kid FROM signing_keys WHERE algorithm = :algorithm AND kind = :kind ORDER BY created_at DESC, kid DESC LIMIT 1` as Query<
  Pick<SigningKeyRow, "kid">
>;

export const insertSigningKey = `
  INSERT INTO signing_keys (kid, algorithm, kind, public_key, sealed_private_key, created_at, signs_from)
  VALUES (:kid, :algorithm, :kind, :publicKey, :sealedPrivateKey, :createdAt, :signsFrom) ON CONFLICT (kid) DO NOTHING`;

export const deleteSigningKey = "DELETE FROM signing_keys WHERE kid = :kid";

export const resealSigningKey = `
  UPDATE signing_keys SET sealed_private_key = :to WHERE kid = :kid AND sealed_private_key = :from`;

export const insertMeta = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING";

export const replaceMeta = "UPDATE meta SET value = :to WHERE name = :name AND value = :from";

/** Names after `:after` that begin with `:prefix`, whose byte order ends before that of the greatest character. */
export const listMeta = `
  SELECT name, value FROM meta
  WHERE name >= :prefix AND name < :prefix || char(1114111) AND name > :after
  ORDER BY name LIMIT :limit` as Query<MetaRecord>;

export const selectMeta = "SELECT value FROM meta WHERE name = :name" as Query<{ readonly value: string }>;

/** Changes the file to WAL mode, if it is not, and tells the mode it has. */
export const selectJournalMode = "PRAGMA journal_mode = WAL" as Query<{ readonly journal_mode: string }>;

/** Writes a row as it is, which shows that the database can be written. */
export const touchSchema = "UPDATE schema_versions SET applied_at = applied_at";
