import type { Millis, SessionId, TenantId, UserId } from "./identifiers.js";

/** Why sessions end. */
export const endReasons = [
  "logout",
  "revoked",
  "revoked_by_admin",
  "token_reuse",
  "replaced",
  "session_limit",
  "identity_provider",
  "expired",
  "idle",
  "erased",
] as const;
export type EndReason = (typeof endReasons)[number];

/**
 * One session. A session is *live* while `endedAt` is undefined and now is before both `expiresAt` and
 * `idleExpiresAt`; every method but `explainSession` treats one that is not live as absent.
 */
export interface SessionRecord {
  readonly id: SessionId;
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Base64url SHA-256 of the secret that every refresh token of this session carries. */
  readonly secretHash: string;
  /** Sequence number of the newest refresh token known to have been used. `current <= next`. */
  readonly current: number;
  /** Sequence number of the newest refresh token handed out. */
  readonly next: number;
  /** When `next` was first issued; 0 for a new session, so that its first refresh always rotates. */
  readonly issuedAt: Millis;
  /** Whether access tokens are signed with a rotating (`dynamic`) or a fixed (`static`) key. */
  readonly keyKind: SigningKeyKind;
  /** The application's access token payload: a JSON object as text, kept to the letter. */
  readonly payload: string;
  /** The application's data of the session that stays on the server: a JSON object as text, kept to the letter. */
  readonly data: string;
  /** What the engine keeps of the session beside rotation: a JSON object as text, which storage never looks into. */
  readonly facts: string;
  /** Goes up with every change of `facts`; what such a change compares. 0 for a new session. */
  readonly factsVersion: number;
  /** Goes up with every change after which older access tokens say something that no longer holds. 0 for a new session. */
  readonly payloadVersion: number;
  /** Thumbprint (RFC 7638) of the key that has to prove every refresh; empty for none. */
  readonly bound: string;
  /** What an identity provider calls the login that this session came from; such sessions can be looked for by it. */
  readonly link?: string;
  /** What it calls the user who logged in, likewise: one has many logins. */
  readonly subject?: string;
  /** The device as the application named it, usually a user agent. */
  readonly device?: string;
  /** The network address of the login. */
  readonly address?: string;
  readonly createdAt: Millis;
  /** Last use that was reported, written at most once per activity interval (a minute, or less with a short idle timeout). */
  readonly lastActiveAt: Millis;
  /** End of the newest refresh token, bounded by the absolute timeout. */
  readonly expiresAt: Millis;
  /** End by idleness; `NEVER` without an idle timeout. */
  readonly idleExpiresAt: Millis;
  readonly endedAt?: Millis;
  readonly endReason?: EndReason;
}

/** Whether the session is live at a time. */
export const isLive = (record: SessionRecord, now: Millis): boolean =>
  record.endedAt === undefined && now < record.expiresAt && now < record.idleExpiresAt;

/** What names a session in an answer: enough to tell who was affected. */
export interface SessionReference {
  readonly id: SessionId;
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

export type SigningAlgorithm = "ES256" | "RS256";
export type SigningKeyKind = "dynamic" | "static";

/** A key that signs access tokens. The private half is sealed by the engine; storage cannot open it. */
export interface SigningKeyRecord {
  /** `d-<ms>` for a dynamic key, `s-…` for a static one; unique. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind: SigningKeyKind;
  /** Base64 of the DER SPKI public key. */
  readonly publicKey: string;
  /** The private key, sealed with the master key. */
  readonly sealedPrivateKey: string;
  readonly createdAt: Millis;
  /** From when on it may sign; published from `createdAt` on. */
  readonly signsFrom: Millis;
}

/** One line of the revocation feed. */
export interface RevocationRecord extends SessionReference {
  readonly at: Millis;
  readonly reason: EndReason;
}

/** One line of the feed of changes: access tokens of this session with a lower `payloadVersion` are to be refreshed. */
export interface ChangeRecord extends SessionReference {
  readonly at: Millis;
  readonly payloadVersion: number;
}

export type EventType =
  | "session_ended"
  | "token_reuse"
  | "forged_token"
  | "fast_forward"
  | "device_bound"
  | "device_unbound"
  | "unproven_refresh"
  | "acting_started"
  | "acting_ended"
  | "signing_key_created"
  | "signing_key_deleted"
  | "admin";

/** One line of the audit trail. */
export interface EventRecord {
  /** Unique. Appending an event whose key is already there adds its `count` to that one: one alarm per session and hour. */
  readonly key: string;
  readonly at: Millis;
  readonly type: EventType;
  readonly tenantId?: TenantId;
  readonly userId?: UserId;
  readonly sessionId?: SessionId;
  readonly reason?: EndReason;
  /** Further facts as a JSON object in text; never a token, hash or key. */
  readonly detail?: string;
  readonly count: number;
}

/** How often something happened within an hour. */
export interface CountRecord {
  /** The beginning of the hour, ms since the epoch: a multiple of 3,600,000. */
  readonly hour: Millis;
  /** What is counted; at most 128 bytes. */
  readonly name: string;
  readonly count: number;
}

/** What names an entry of the outbox: an event, by its key, for one destination. */
export interface OutboxKey {
  readonly key: string;
  readonly destination: string;
}

/**
 * An event that has to be delivered to one destination. Entries of one session for the same destination are a queue in the
 * order of their appending, of which only the head may be taken; an event without a session is a queue of its own.
 */
export interface OutboxRecord {
  readonly destination: string;
  /** As it was when it was appended; what was counted onto it later is not here. */
  readonly event: EventRecord;
  /** Of the head of a queue: from when on it may be taken. Says nothing of what waits behind it. */
  readonly dueAt: Millis;
  /** What whoever delivers notes beside the entry: a JSON object as text, `{}` at first. */
  readonly state: string;
  /** Given up: it stands aside of its queue, for people to look at. */
  readonly dead: boolean;
}
