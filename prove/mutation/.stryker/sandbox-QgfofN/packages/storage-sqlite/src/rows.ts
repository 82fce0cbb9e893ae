import type {
  EndReason,
  EventType,
  Millis,
  SessionId,
  SigningAlgorithm,
  SigningKeyKind,
  TenantId,
  UserId,
} from "@pawl/storage";

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
}

/** The columns that name a session. */
export interface ReferenceRow {
  readonly id: SessionId;
  readonly tenant_id: TenantId;
  readonly user_id: UserId;
}

/** A row of `revocations`. */
export interface RevocationRow {
  readonly number: number;
  readonly session_id: SessionId;
  readonly tenant_id: TenantId;
  readonly user_id: UserId;
  readonly at: Millis;
  readonly reason: EndReason;
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
