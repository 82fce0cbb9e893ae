import type { Clock } from "./clock.js";
import type { Millis, SessionId, TenantId, UserId } from "./identifiers.js";
import type {
  ChangeRecord,
  CountRecord,
  EndReason,
  EventRecord,
  EventType,
  OutboxKey,
  OutboxRecord,
  RevocationRecord,
  SessionRecord,
  SessionReference,
  SigningKeyKind,
  SigningKeyRecord,
} from "./records.js";
import type { SessionChange, SessionChangeResult } from "./session-change.js";

/** Durations that bound a session's life; each absent one does not apply. */
export interface Lifetimes {
  /** From a rotation to the end of the refresh token. */
  readonly refreshValidity: Millis;
  /** From the last use or rotation, whichever is later, to the end by idleness. */
  readonly idleTimeout?: Millis | undefined;
  /** From creation to the end, whatever happens. */
  readonly absoluteTimeout?: Millis | undefined;
}

/** What a presented refresh token claims, with what `rotate` needs to mint its ordinary successor. */
export interface RotationAttempt {
  readonly id: SessionId;
  readonly seq: number;
  /** When the presented copy was sealed. */
  readonly iat: Millis;
  readonly secretHash: string;
  /** The reuse window, 0 to 300,000 ms. */
  readonly window: Millis;
  readonly lifetimes: Lifetimes;
  /** Replaces the row's kind of signing key in the same step; absent keeps it. */
  readonly keyKind?: SigningKeyKind;
  /** Thumbprint of the key that proved this attempt; a bound session mints for its own alone. */
  readonly proof?: string | undefined;
}

export interface RotationResult {
  /** Whether the ordinary mint was performed: `record` is then the row after it. */
  readonly minted: boolean;
  /** The row as it stands now, live or not; absent when there is none. */
  readonly record?: SessionRecord;
  /** The store's time at which it was read. */
  readonly now: Millis;
}

/** The version of a row that a decision was taken on: (current, next, live) is a sufficient compare-and-set version. */
export interface ExpectedRow {
  readonly id: SessionId;
  readonly current: number;
  readonly next: number;
}

/** What to do to a row that still is the expected one. `now` is the store's time at execution. */
export type RotationChange =
  /** The store lost commits: `next = seq`, `current` and `issued_at` as the lost rotation had left them. */
  | {
      readonly kind: "fast_forward";
      readonly seq: number;
      readonly current: number;
      readonly issuedAt: Millis;
      readonly events: readonly EventRecord[];
    }
  /** Ends this session, with its revocation and events. */
  | {
      readonly kind: "end";
      readonly reason: EndReason;
      /** Besides the `session_ended` event that storage writes for a session it ends. */
      readonly events: readonly EventRecord[];
    };

export type ApplyResult =
  | {
      readonly kind: "applied";
      readonly record: SessionRecord;
      readonly ended: readonly SessionReference[];
      readonly now: Millis;
    }
  /** The row is not the expected one any more, is not live, or is gone: read and decide again. */
  | { readonly kind: "conflict" };

/** A verifier saw an access token in use. */
export interface UseNote {
  readonly id: SessionId;
  /** Sequence number of the refresh token that was issued with the access token. */
  readonly seq: number;
  /** When the access token was issued; rounded up where it is known in whole seconds. */
  readonly iat: Millis;
}

export interface UsePolicy {
  readonly window: Millis;
  readonly idleTimeout?: Millis | undefined;
  /** How far `lastActiveAt` may lie behind before a use moves it. */
  readonly activityInterval: Millis;
}

/** What tells whether a session still is as somebody knows it. */
export type LiveSession = Pick<SessionRecord, "tenantId" | "payloadVersion" | "expiresAt" | "idleExpiresAt">;

/** A session that came to its end by time alone. */
export interface EndedByTime {
  readonly tenantId: TenantId;
  readonly reason: "expired" | "idle";
}

export type OnEndedByTime = (ended: readonly EndedByTime[]) => void;

/** Which sessions to end. Sessions of other tenants are never touched. */
export type RevocationSelector =
  | { readonly kind: "ids"; readonly ids: readonly SessionId[]; readonly tenantId?: TenantId }
  | { readonly kind: "user"; readonly tenantId: TenantId; readonly userId: UserId; readonly exceptId?: SessionId }
  | { readonly kind: "tenant"; readonly tenantId: TenantId };

export interface RevocationCause {
  readonly reason: EndReason;
  /** Who or what asked, for the audit trail. */
  readonly detail?: string;
}

/** What `eraseUser` removed. */
export interface ErasedUser {
  /** The sessions that were live. */
  readonly ended: readonly SessionReference[];
  /** Rows of sessions that were deleted, live or not. */
  readonly rows: number;
  /** Events that were deleted. */
  readonly events: number;
}

export interface SessionSelector {
  readonly tenantId?: TenantId | undefined;
  readonly userId?: UserId | undefined;
  /** Those that came from this login at an identity provider. */
  readonly link?: string | undefined;
  /** Those that came from a login of this user at an identity provider. */
  readonly subject?: string | undefined;
}

/** A keyset page: at most `limit` rows after the row that `after` (a `next` of the page before) names. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. Opaque. */
  readonly next?: string;
}

/** One lasting fact of a store. */
export interface MetaRecord {
  readonly name: string;
  readonly value: string;
}

export interface EventSelector {
  readonly sessionId?: SessionId | undefined;
  readonly tenantId?: TenantId | undefined;
  readonly userId?: UserId | undefined;
  readonly types?: readonly EventType[] | undefined;
}

/** Hours from `from` on and before `to`. */
export interface CountSelector {
  readonly from: Millis;
  readonly to: Millis;
}

/** What becomes of an entry of the outbox that was taken. */
export type OutboxSettlement =
  /** It is removed, and the next of its queue is due at once. */
  | { readonly kind: "delivered" }
  /** It keeps its place in its queue, and is due again at a time. A dead one comes back to the place that it had. */
  | { readonly kind: "postponed"; readonly dueAt: Millis; readonly state: string }
  /** It stands aside, and the next of its queue is due at once. */
  | { readonly kind: "dead"; readonly state: string };

/** Where a reader of a feed stands. Opaque; carries the store's epoch. */
export type FeedCursor = string;

/** Where to read a feed from. */
export type FeedStart = { readonly cursor: FeedCursor } | { readonly at: Millis };

export type FeedPage<Line> =
  | {
      readonly kind: "page";
      readonly items: readonly Line[];
      readonly cursor: FeedCursor;
      /** Whether the page was cut short: then read on from the cursor at once. */
      readonly more: boolean;
    }
  /** The cursor belongs to another life of this store (it was restored or replaced): start again from a time. */
  | { readonly kind: "unknown_cursor" };

/**
 * The storage contract. Every method is one atomic step; writes that arrive in one event-loop turn may be committed
 * together, each with its own outcome. An acknowledged write is durable. Failures are thrown as `StorageError`.
 *
 * Ids are compared as bytes of UTF-8. U+0000 or a lone surrogate (which has no UTF-8 form) in any text, also in one that
 * is only looked for, is `invalid_record`; so is a limit below 1. Payload and data come back to the letter.
 */
export interface Storage {
  /** The store's time in milliseconds, without I/O: a shared store keeps its offset to a monotonic clock. */
  now(): Millis;

  /**
   * Inserts a session. With `maxPerUser` it ends the least recently refreshed live sessions of that user (reason
   * `session_limit`) beyond so many, exactly, but `MOST_ENDED_FOR_LIMIT` at most, and returns them.
   * @throws StorageError `invalid_record` when the id is taken.
   */
  createSession(record: SessionRecord, limits?: { readonly maxPerUser: number }): Promise<readonly SessionReference[]>;

  /** Reads one row, live or not, from the primary. */
  getSession(id: SessionId): Promise<SessionRecord | undefined>;

  /**
   * Performs the *ordinary* mint of a refresh and nothing else, in one guarded step: where `decideRotation` says `mint`, the
   * row becomes what `afterMint` gives. Otherwise nothing changes and the row is returned.
   */
  rotate(attempt: RotationAttempt): Promise<RotationResult>;

  /** Compare-and-set on (current, next, live). */
  applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult>;

  /**
   * For each note, on a live row: confirms (`current = next`) where `decideUse` says so; moves `lastActiveAt` to now when it
   * is `activityInterval` or more behind, and `idleExpiresAt` with it (now + `idleTimeout`, `NEVER` without one).
   * Never anything else.
   * @returns the row after it for each note, in order; undefined where there is none that is live.
   */
  reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]>;

  /**
   * Ends live sessions: flag and reason, payload, data and facts become `{}`; revocations and `session_ended` events are
   * appended in the same transaction. The event's detail is `{"by": cause.detail}`.
   * With `limit` it ends at most that many of the selected, whichever they are: repeat until fewer come back.
   * @returns the sessions that were live.
   */
  revokeSessions(
    selector: RevocationSelector,
    cause: RevocationCause,
    limit?: number,
  ): Promise<readonly SessionReference[]>;

  /**
   * Removes a user of a tenant without a trace: live sessions end as `erased`, with their revocations but without events,
   * then all rows of the user, live or not, all events that name the user, and what the outbox holds of them, dead or not,
   * are deleted. What the feeds hold of the user stays until they are swept, because verifiers have to learn of it.
   * With `limit` it deletes at most that many rows, events and entries of the outbox each: repeat until fewer rows and events
   * were deleted, and then once without.
   */
  eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }, limit?: number): Promise<ErasedUser>;

  /**
   * Inserts rows as they are, live or not, for data that moves between stores: no limit, no revocation, no event. A row
   * whose id is taken, also by one before it in the same call, is left as it is. One atomic step; callers send a few hundred.
   * @returns for each, in order, whether it was inserted.
   */
  importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]>;

  /** Live sessions by id, in keyset pages. */
  listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>>;
  /** As `listSessions`, references only. */
  listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>>;

  /**
   * All rows of a user, live or not, in keyset pages and an order of the store's own. One that ends meanwhile may come
   * twice, and never not at all.
   */
  listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>>;

  /** Changes a live session, all of it or nothing. Equal values count as changes. */
  changeSession(id: SessionId, change: SessionChange): Promise<SessionChangeResult>;

  /**
   * Which sessions are live, in the order of the ids; undefined for one that is not. Moves nothing. Callers ask for a few
   * hundred.
   */
  liveOf(ids: readonly SessionId[]): Promise<readonly (LiveSession | undefined)[]>;

  /**
   * Deletes rows whose `expiresAt` is at or before `before`, at most `limit`, safe to run on every node at once. A row
   * that had not ended gets its `session_ended` event (`idle` when `idleExpiresAt < expiresAt`, else `expired`) with the
   * time at which it ended.
   * @param onEnded is told of those that had not ended, before the promise resolves; where it fails, perhaps not.
   * @returns how many were deleted.
   */
  deleteExpired(before: Millis, limit: number, onEnded?: OnEndedByTime): Promise<number>;

  /** All keys, oldest first. */
  getSigningKeys(): Promise<readonly SigningKeyRecord[]>;
  /**
   * Adds a key if the newest one of the same algorithm and kind is `ifNewestIs` (undefined: if there is none).
   * @returns false when another writer was first or the `kid` is taken.
   */
  addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean>;
  deleteSigningKeys(kids: readonly string[]): Promise<void>;
  /**
   * Replaces the sealed private half of a key if it still is `from`. An equal value counts as written.
   * @returns false when it is not, or when there is no such key.
   */
  resealSigningKey(kid: string, from: string, to: string): Promise<boolean>;

  /**
   * A lasting fact of the store: writes `value` unless the name is already taken, and returns what stands.
   * Without `value` it only reads.
   */
  claimMeta(name: string, value: string): Promise<string>;
  claimMeta(name: string): Promise<string | undefined>;
  /** Replaces a lasting fact if it still is `from`. An equal value counts as written. @returns false when it is not. */
  replaceMeta(name: string, from: string, to: string): Promise<boolean>;
  /** Facts whose name begins with `prefix` (ASCII), by name in the order of bytes, in keyset pages. */
  listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>>;

  /**
   * Revocations after a cursor, or at and after a time, oldest first; handles may repeat. A page may hold only the first
   * of many and says so.
   */
  revocationsSince(from: FeedStart): Promise<FeedPage<RevocationRecord>>;
  /** Deletes lines of the feed that are older than `before`, at most `limit`. */
  deleteRevocations(before: Millis, limit: number): Promise<number>;

  /** As `revocationsSince`, the announced changes of sessions: a log of its own, with cursors of its own. */
  changesSince(from: FeedStart): Promise<FeedPage<ChangeRecord>>;
  /** Deletes lines of the feed that are older than `before`, at most `limit`. */
  deleteChanges(before: Millis, limit: number): Promise<number>;

  /** Calls `wake` soon after either feed has grown, by any process; the listener reads from its cursors. Returns stop. */
  watchFeeds(wake: () => void): () => void;

  /**
   * Appends events; the count of one whose key is there is added to that. Wherever an event is appended first, here or as a
   * part of something else, it is put into the outbox in the same transaction, once for each destination that wants its type;
   * an entry of its key and destination that is still there stays as it is.
   */
  appendEvents(events: readonly EventRecord[]): Promise<void>;
  /** Newest first. */
  listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>>;
  deleteEvents(before: Millis, limit: number): Promise<number>;

  /**
   * Claims heads of queues that are due, those due longest first: `dueAt` becomes `until`, so that no other process takes
   * them before. At least once: whoever crashes after a claim leaves the entry to be taken again.
   * @returns the entries after it.
   */
  takeOutbox(limit: number, until: Millis): Promise<readonly OutboxRecord[]>;
  /** @returns false when there is no such entry. @throws StorageError `invalid_record` for what cannot be a destination. */
  settleOutbox(entry: OutboxKey, settlement: OutboxSettlement): Promise<boolean>;
  /** Dead entries or the others, in keyset pages and an order of the store's own. */
  listOutbox(selector: { readonly dead: boolean }, page: PageRequest): Promise<Page<OutboxRecord>>;
  /** Deletes dead entries whose event is older than `before`, at most `limit`. */
  deleteDeadOutbox(before: Millis, limit: number): Promise<number>;

  /**
   * Adds each count, a whole number of 1 or more, to what is there, in one atomic step.
   * @throws StorageError `invalid_record` for a name of more than 128 bytes or a time that is no beginning of an hour.
   */
  addCounts(counts: readonly CountRecord[]): Promise<void>;
  /** By hour, then by name in the order of bytes, in keyset pages. */
  listCounts(selector: CountSelector, page: PageRequest): Promise<Page<CountRecord>>;
  /** Deletes counts of hours before `before`, at most `limit`. */
  deleteCounts(before: Millis, limit: number): Promise<number>;

  /** Brings the schema to this release's version; safe to run on many nodes at once. */
  migrate(): Promise<void>;
  /** Resolves when the store answers and can be written. */
  ping(): Promise<void>;
  /** Finishes what was accepted, then lets go of the store. Further calls but `now` and `close` throw `closed`. */
  close(): Promise<void>;
}

/** Where events have to be delivered to, by whoever takes them out of the outbox. */
export interface OutboxDestination {
  /** Names it, among those of a store: 1 to 32 letters and digits of ASCII. */
  readonly id: string;
  readonly types: readonly EventType[];
}

/** What an adapter is opened with. */
export interface StorageOptions {
  /** Replaces the store's own time; tests move it. */
  readonly clock?: Clock | undefined;
  /** Where which events have to be delivered to. Every process of a store has to say the same. */
  readonly outbox?: readonly OutboxDestination[] | undefined;
}

/** The one export every adapter package has. */
export type OpenStorage = (url: string, options?: StorageOptions) => Promise<Storage>;
