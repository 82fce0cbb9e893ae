import type { EndReason, EventType, Millis, SigningAlgorithm, SigningKeyKind } from "@pawl/storage";

/** Every text column is binary: the driver gives bytes. A `Text` is bytes of UTF-8 that are one of these texts. */
export interface Text<T extends string = string> {
  toString(): T;
  toString(encoding: BufferEncoding): string;
}

/** The columns that name a session: keys of texts, see `index-key.ts`. */
export interface ReferenceRow {
  readonly id: Text;
  readonly tenant_id: Text;
  readonly user_id: Text;
  readonly long_texts: Text | null;
}

/** A row of `sessions`. */
export interface SessionRow extends ReferenceRow {
  readonly secret_hash: Text;
  readonly current: number;
  readonly next: number;
  readonly issued_at: Millis;
  readonly key_kind: Text<SigningKeyKind>;
  readonly created_at: Millis;
  readonly last_active_at: Millis;
  readonly expires_at: Millis;
  readonly idle_expires_at: Millis;
  readonly ended_at: Millis | null;
  readonly end_reason: Text<EndReason> | null;
  readonly device: Text | null;
  readonly address: Text | null;
  readonly payload: Text;
  readonly data: Text;
}

/** What the session limit looks at. */
export type UserSessionRow = ReferenceRow &
  Pick<SessionRow, "issued_at" | "created_at" | "expires_at" | "idle_expires_at">;

/** What the sweep looks at. */
export type SweepRow = ReferenceRow & Pick<SessionRow, "expires_at" | "idle_expires_at" | "ended_at">;

/** A row of `revocations`. */
export interface RevocationRow extends ReferenceRow {
  readonly number: number;
  readonly at: Millis;
  readonly reason: Text<EndReason>;
  /** The server's own time. */
  readonly written_at: number;
}

/** A row of `events`. */
export interface EventRow {
  readonly event_key: Text;
  readonly at: Millis;
  readonly type: Text<EventType>;
  readonly tenant_id: Text | null;
  readonly user_id: Text | null;
  readonly session_id: Text | null;
  readonly long_texts: Text | null;
  readonly reason: Text<EndReason> | null;
  readonly detail: Text | null;
  readonly event_count: number;
}

/** A row of `signing_keys`. */
export interface SigningKeyRow {
  readonly kid: Text;
  readonly long_texts: Text | null;
  readonly algorithm: Text<SigningAlgorithm>;
  readonly kind: Text<SigningKeyKind>;
  readonly public_key: Text;
  readonly sealed_private_key: Text;
  readonly created_at: Millis;
  readonly signs_from: Millis;
}

/** A row of `meta`. */
export interface MetaRow {
  readonly name: Text;
  readonly long_texts: Text | null;
  readonly value: Text;
}
