import type { Millis, SessionId, TenantId, UserId } from "../identifiers.js";
import type {
  ChangeRecord,
  CountRecord,
  EndReason,
  EventRecord,
  EventType,
  OutboxRecord,
  RevocationRecord,
  SessionRecord,
  SessionReference,
  SigningAlgorithm,
  SigningKeyKind,
  SigningKeyRecord,
} from "../records.js";
import type { LiveSession } from "../storage.js";

/** The columns that name a session. */
export interface ReferenceRow {
  readonly id: SessionId;
  readonly tenant_id: TenantId;
  readonly user_id: UserId;
}

/** A row of `sessions`. */
export interface SessionRow extends ReferenceRow {
  readonly secret_hash: string;
  readonly current: number;
  readonly next: number;
  readonly issued_at: Millis;
  readonly key_kind: SigningKeyKind;
  readonly created_at: Millis;
  readonly last_active_at: Millis;
  readonly expires_at: Millis;
  readonly idle_expires_at: Millis;
  readonly ended_at: Millis | null;
  readonly end_reason: EndReason | null;
  readonly device: string | null;
  readonly address: string | null;
  readonly payload: string;
  readonly data: string;
  readonly facts: string;
  readonly facts_version: number;
  readonly payload_version: number;
  readonly bound: string;
  readonly link: string | null;
  readonly subject: string | null;
}

/** The columns that say how a live session stands. */
export type LiveRow = Pick<SessionRow, "tenant_id" | "payload_version" | "expires_at" | "idle_expires_at">;

/** What a row of every feed has. */
export interface FeedRow {
  readonly number: number;
  readonly session_id: SessionId;
  readonly tenant_id: TenantId;
  readonly user_id: UserId;
  readonly at: Millis;
}

/** A row of `revocations`. */
export interface RevocationRow extends FeedRow {
  readonly reason: EndReason;
}

/** A row of `changes`. */
export interface ChangeRow extends FeedRow {
  readonly payload_version: number;
}

/** A row of `events`. */
export interface EventRow {
  readonly key: string;
  readonly at: Millis;
  readonly type: EventType;
  readonly tenant_id: TenantId | null;
  readonly user_id: UserId | null;
  readonly session_id: SessionId | null;
  readonly reason: EndReason | null;
  readonly detail: string | null;
  readonly count: number;
}

/** A row of `outbox`: the event as it was, and its delivery. */
export interface OutboxRow extends EventRow {
  readonly number: number;
  readonly destination: string;
  readonly due_at: Millis;
  readonly state: string;
  /** Databases without booleans give 0 or 1. */
  readonly dead: boolean | number;
}

/** A row of `counts`. */
export interface CountRow {
  readonly hour: Millis;
  readonly name: string;
  readonly count: number;
}

/** A row of `signing_keys`. */
export interface SigningKeyRow {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind: SigningKeyKind;
  readonly public_key: string;
  readonly sealed_private_key: string;
  readonly created_at: Millis;
  readonly signs_from: Millis;
}

export const referenceOf = (row: ReferenceRow): SessionReference => ({
  id: row.id,
  tenantId: row.tenant_id,
  userId: row.user_id,
});

export const recordOf = (row: SessionRow): SessionRecord => ({
  id: row.id,
  tenantId: row.tenant_id,
  userId: row.user_id,
  secretHash: row.secret_hash,
  current: row.current,
  next: row.next,
  issuedAt: row.issued_at,
  keyKind: row.key_kind,
  payload: row.payload,
  data: row.data,
  facts: row.facts,
  factsVersion: row.facts_version,
  payloadVersion: row.payload_version,
  bound: row.bound,
  ...(row.link === null ? {} : { link: row.link }),
  ...(row.subject === null ? {} : { subject: row.subject }),
  ...(row.device === null ? {} : { device: row.device }),
  ...(row.address === null ? {} : { address: row.address }),
  createdAt: row.created_at,
  lastActiveAt: row.last_active_at,
  expiresAt: row.expires_at,
  idleExpiresAt: row.idle_expires_at,
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  ...(row.end_reason === null ? {} : { endReason: row.end_reason }),
});

export const liveSessionOf = (row: LiveRow): LiveSession => ({
  tenantId: row.tenant_id,
  payloadVersion: row.payload_version,
  expiresAt: row.expires_at,
  idleExpiresAt: row.idle_expires_at,
});

export const revocationOf = (row: RevocationRow): RevocationRecord => ({
  id: row.session_id,
  tenantId: row.tenant_id,
  userId: row.user_id,
  at: row.at,
  reason: row.reason,
});

export const changeOf = (row: ChangeRow): ChangeRecord => ({
  id: row.session_id,
  tenantId: row.tenant_id,
  userId: row.user_id,
  at: row.at,
  payloadVersion: row.payload_version,
});

export const eventOf = (row: EventRow): EventRecord => ({
  key: row.key,
  at: row.at,
  type: row.type,
  ...(row.tenant_id === null ? {} : { tenantId: row.tenant_id }),
  ...(row.user_id === null ? {} : { userId: row.user_id }),
  ...(row.session_id === null ? {} : { sessionId: row.session_id }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.detail === null ? {} : { detail: row.detail }),
  count: row.count,
});

export const outboxOf = (row: OutboxRow): OutboxRecord => ({
  destination: row.destination,
  event: eventOf(row),
  dueAt: row.due_at,
  state: row.state,
  dead: Boolean(row.dead),
});

export const countOf = (row: CountRow): CountRecord => ({ hour: row.hour, name: row.name, count: row.count });

export const signingKeyOf = (row: SigningKeyRow): SigningKeyRecord => ({
  kid: row.kid,
  algorithm: row.algorithm,
  kind: row.kind,
  publicKey: row.public_key,
  sealedPrivateKey: row.sealed_private_key,
  createdAt: row.created_at,
  signsFrom: row.signs_from,
});
