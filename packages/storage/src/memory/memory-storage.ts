import { WakeListeners } from "../adapter/wake-listeners.js";
import { sessionPage } from "../adapter/page.js";
import { CheckedStorage } from "../checked-storage.js";
import { type Clock, systemClock } from "../clock.js";
import { StorageError } from "../errors.js";
import type { Millis, SessionId, TenantId, UserId } from "../identifiers.js";
import { MemoryCounts } from "./memory-counts.js";
import { MemoryEvents } from "./memory-events.js";
import { MemoryFeed } from "./memory-feed.js";
import { MemoryMeta } from "./memory-meta.js";
import { MemoryOutbox } from "./memory-outbox.js";
import {
  type ChangeRecord,
  type CountRecord,
  type EventRecord,
  isLive,
  type OutboxKey,
  type OutboxRecord,
  type RevocationRecord,
  type SessionRecord,
  type SessionReference,
  type SigningKeyRecord,
} from "../records.js";
import { afterFastForward, afterMint, afterUse, decideRotation } from "../rotation.js";
import { afterChange, isExpected, type SessionChange, type SessionChangeResult } from "../session-change.js";
import { afterEnd, expiryOf, MOST_ENDED_FOR_LIMIT, refreshedAt, sessionEndedEvent } from "../session-end.js";
import type {
  ApplyResult,
  CountSelector,
  ErasedUser,
  EventSelector,
  ExpectedRow,
  FeedPage,
  FeedStart,
  LiveSession,
  MetaRecord,
  OnEndedByTime,
  OutboxSettlement,
  Page,
  PageRequest,
  RevocationCause,
  RevocationSelector,
  RotationAttempt,
  RotationChange,
  RotationResult,
  SessionSelector,
  Storage,
  StorageOptions,
  UseNote,
  UsePolicy,
} from "../storage.js";

const referenceOf = ({ id, tenantId, userId }: SessionRecord): SessionReference => ({ id, tenantId, userId });

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const pageById = (all: readonly SessionRecord[], { limit, after }: PageRequest): Page<SessionRecord> => {
  const found = all.filter((row) => after === undefined || row.id > after);
  return sessionPage(
    found.toSorted((left, right) => compare(left.id, right.id)),
    limit,
  );
};

/** Each method does its work before its first `await` could let another one in, so it is one atomic step. */
class Memory implements Storage {
  readonly #clock: Clock;
  readonly #sessions = new Map<SessionId, SessionRecord>();
  readonly #signingKeys = new Map<string, SigningKeyRecord>();
  readonly #counts = new MemoryCounts();
  readonly #meta = new MemoryMeta();
  readonly #listeners = new WakeListeners({ begin: () => undefined, end: () => undefined });
  readonly #revocations: MemoryFeed<RevocationRecord>;
  readonly #changes: MemoryFeed<ChangeRecord>;
  readonly #outbox: MemoryOutbox;
  readonly #events: MemoryEvents;

  constructor(options: StorageOptions) {
    this.#clock = options.clock ?? systemClock;
    const feed = { epoch: crypto.randomUUID(), wake: () => this.#listeners.wake() };
    this.#revocations = new MemoryFeed(feed);
    this.#changes = new MemoryFeed(feed);
    this.#outbox = new MemoryOutbox(options.outbox);
    this.#events = new MemoryEvents((event) => this.#outbox.append(event));
  }

  now(): Millis {
    return this.#clock.now();
  }

  async createSession(
    record: SessionRecord,
    limits?: { readonly maxPerUser: number },
  ): Promise<readonly SessionReference[]> {
    if (this.#sessions.has(record.id)) throw new StorageError("invalid_record", "the session id is taken");
    const others = limits === undefined ? [] : this.#live({ tenantId: record.tenantId, userId: record.userId });
    const oldestFirst = others.toSorted(
      (left, right) => refreshedAt(left) - refreshedAt(right) || compare(left.id, right.id),
    );
    const surplus = limits === undefined ? 0 : Math.max(0, others.length + 1 - limits.maxPerUser);
    this.#sessions.set(record.id, Object.freeze({ ...record }));
    return this.#end(oldestFirst.slice(0, Math.min(surplus, MOST_ENDED_FOR_LIMIT)), { reason: "session_limit" });
  }

  async getSession(id: SessionId): Promise<SessionRecord | undefined> {
    return this.#sessions.get(id);
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    const now = this.now();
    const row = this.#sessions.get(attempt.id);
    if (row === undefined) return { minted: false, now };
    const decision = decideRotation(row, attempt, now);
    if (decision.kind !== "mint") return { minted: false, record: row, now };
    return { minted: true, record: this.#put(afterMint(row, { ...attempt, ...decision, now })), now };
  }

  async applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult> {
    const now = this.now();
    const row = this.#sessions.get(expected.id);
    if (row === undefined || !isLive(row, now) || row.current !== expected.current || row.next !== expected.next)
      return { kind: "conflict" };
    switch (change.kind) {
      case "fast_forward":
        this.#events.append(change.events);
        return { kind: "applied", record: this.#put(afterFastForward(row, change)), ended: [], now };
      case "end": {
        const ended = this.#end([row], change);
        this.#events.append(change.events);
        return { kind: "applied", record: this.#sessions.get(row.id) ?? row, ended, now };
      }
    }
  }

  async reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]> {
    const now = this.now();
    return notes.map((note) => {
      const row = this.#sessions.get(note.id);
      if (row === undefined || !isLive(row, now)) return undefined;
      const noted = afterUse(row, note, { ...policy, now });
      return noted === row ? row : this.#put(noted);
    });
  }

  async revokeSessions(
    selector: RevocationSelector,
    cause: RevocationCause,
    limit?: number,
  ): Promise<readonly SessionReference[]> {
    return this.#end(this.#selected(selector).slice(0, limit), cause);
  }

  async eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }, limit?: number): Promise<ErasedUser> {
    const at = this.now();
    const rows = this.#rowsOf(user).slice(0, limit);
    const ended = rows.filter((row) => isLive(row, at)).map(referenceOf);
    for (const row of rows) this.#sessions.delete(row.id);
    this.#revocations.append(ended.map((session) => ({ ...session, at, reason: "erased" })));
    this.#outbox.deleteOfUser(user, limit);
    return { ended, rows: rows.length, events: this.#events.deleteOfUser(user, limit) };
  }

  async importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]> {
    return records.map((record) => {
      const free = !this.#sessions.has(record.id);
      if (free) this.#put({ ...record });
      return free;
    });
  }

  async listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>> {
    return pageById(this.#live(selector), page);
  }

  async listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>> {
    const { items, ...rest } = await this.listSessions(selector, page);
    return { items: items.map(referenceOf), ...rest };
  }

  async listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>> {
    return pageById(this.#rowsOf(user), page);
  }

  async changeSession(id: SessionId, change: SessionChange): Promise<SessionChangeResult> {
    const now = this.now();
    const row = this.#sessions.get(id);
    if (row === undefined || !isLive(row, now)) return { kind: "absent" };
    if (!isExpected(row, change)) return { kind: "conflict", record: row, now };
    const record = this.#put(afterChange(row, change));
    const { payloadVersion } = record;
    if (change.announced === true) this.#changes.append([{ ...referenceOf(row), at: now, payloadVersion }]);
    this.#events.append(change.events ?? []);
    return { kind: "changed", record, now };
  }

  async liveOf(ids: readonly SessionId[]): Promise<readonly (LiveSession | undefined)[]> {
    const now = this.now();
    return ids.map((id) => {
      const row = this.#sessions.get(id);
      if (row === undefined || !isLive(row, now)) return undefined;
      const { tenantId, payloadVersion, expiresAt, idleExpiresAt } = row;
      return { tenantId, payloadVersion, expiresAt, idleExpiresAt };
    });
  }

  async deleteExpired(before: Millis, limit: number, onEnded?: OnEndedByTime): Promise<number> {
    const rows = [...this.#sessions.values()].filter((row) => row.expiresAt <= before).slice(0, limit);
    for (const row of rows) {
      if (row.endedAt === undefined) this.#events.append([sessionEndedEvent(referenceOf(row), expiryOf(row))]);
      this.#sessions.delete(row.id);
    }
    const ended = rows.filter(({ endedAt }) => endedAt === undefined);
    onEnded?.(ended.map((row) => ({ tenantId: row.tenantId, reason: expiryOf(row).reason })));
    return rows.length;
  }

  async getSigningKeys(): Promise<readonly SigningKeyRecord[]> {
    return this.#keysByAge();
  }

  async addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean> {
    const newest = this.#keysByAge().findLast((key) => key.algorithm === record.algorithm && key.kind === record.kind);
    if (newest?.kid !== ifNewestIs || this.#signingKeys.has(record.kid)) return false;
    this.#signingKeys.set(record.kid, Object.freeze({ ...record }));
    return true;
  }

  async deleteSigningKeys(kids: readonly string[]): Promise<void> {
    for (const kid of kids) this.#signingKeys.delete(kid);
  }

  async resealSigningKey(kid: string, from: string, to: string): Promise<boolean> {
    const key = this.#signingKeys.get(kid);
    if (key?.sealedPrivateKey !== from) return false;
    this.#signingKeys.set(kid, Object.freeze({ ...key, sealedPrivateKey: to }));
    return true;
  }

  async claimMeta(name: string, value: string): Promise<string>;
  async claimMeta(name: string): Promise<string | undefined>;
  async claimMeta(name: string, value?: string): Promise<string | undefined> {
    return this.#meta.claim(name, value);
  }

  async replaceMeta(name: string, from: string, to: string): Promise<boolean> {
    return this.#meta.replace(name, from, to);
  }

  async listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>> {
    return this.#meta.list(prefix, page);
  }

  async revocationsSince(from: FeedStart): Promise<FeedPage<RevocationRecord>> {
    return this.#revocations.since(from);
  }

  async deleteRevocations(before: Millis, limit: number): Promise<number> {
    return this.#revocations.deleteBefore(before, limit);
  }

  async changesSince(from: FeedStart): Promise<FeedPage<ChangeRecord>> {
    return this.#changes.since(from);
  }

  async deleteChanges(before: Millis, limit: number): Promise<number> {
    return this.#changes.deleteBefore(before, limit);
  }

  watchFeeds(wake: () => void): () => void {
    return this.#listeners.add(wake);
  }

  async appendEvents(events: readonly EventRecord[]): Promise<void> {
    this.#events.append(events);
  }

  async listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>> {
    return this.#events.list(selector, page);
  }

  async deleteEvents(before: Millis, limit: number): Promise<number> {
    return this.#events.deleteBefore(before, limit);
  }

  async takeOutbox(limit: number, until: Millis): Promise<readonly OutboxRecord[]> {
    return this.#outbox.take(limit, { now: this.now(), until });
  }

  async settleOutbox(entry: OutboxKey, settlement: OutboxSettlement): Promise<boolean> {
    return this.#outbox.settle(entry, settlement, this.now());
  }

  async listOutbox({ dead }: { readonly dead: boolean }, page: PageRequest): Promise<Page<OutboxRecord>> {
    return this.#outbox.list(dead, page);
  }

  async deleteDeadOutbox(before: Millis, limit: number): Promise<number> {
    return this.#outbox.deleteDead(before, limit);
  }

  async addCounts(counts: readonly CountRecord[]): Promise<void> {
    this.#counts.add(counts);
  }

  async listCounts(selector: CountSelector, page: PageRequest): Promise<Page<CountRecord>> {
    return this.#counts.list(selector, page);
  }

  async deleteCounts(before: Millis, limit: number): Promise<number> {
    return this.#counts.deleteBefore(before, limit);
  }

  async migrate(): Promise<void> {}

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#listeners.close();
  }

  #keysByAge(): readonly SigningKeyRecord[] {
    return [...this.#signingKeys.values()].toSorted(
      (left, right) => left.createdAt - right.createdAt || compare(left.kid, right.kid),
    );
  }

  #put(row: SessionRecord): SessionRecord {
    const stored = Object.freeze(row);
    this.#sessions.set(row.id, stored);
    return stored;
  }

  #rowsOf({ tenantId, userId }: Pick<SessionRecord, "tenantId" | "userId">): readonly SessionRecord[] {
    return [...this.#sessions.values()].filter((row) => row.tenantId === tenantId && row.userId === userId);
  }

  #live(selector: SessionSelector): SessionRecord[] {
    const { tenantId, userId, link, subject } = selector;
    const now = this.now();
    return [...this.#sessions.values()]
      .filter((row) => tenantId === undefined || row.tenantId === tenantId)
      .filter((row) => userId === undefined || row.userId === userId)
      .filter((row) => link === undefined || row.link === link)
      .filter((row) => subject === undefined || row.subject === subject)
      .filter((row) => isLive(row, now));
  }

  #selected(selector: RevocationSelector): readonly SessionRecord[] {
    if (selector.kind === "tenant") return this.#live({ tenantId: selector.tenantId });
    if (selector.kind === "user")
      return this.#live({ tenantId: selector.tenantId, userId: selector.userId }).filter(
        (row) => row.id !== selector.exceptId,
      );
    const { ids, tenantId } = selector;
    const named = new Set(ids);
    return this.#live(tenantId === undefined ? {} : { tenantId }).filter((row) => named.has(row.id));
  }

  #end(rows: readonly SessionRecord[], cause: RevocationCause): readonly SessionReference[] {
    const at = this.now();
    const ended = rows.map(referenceOf);
    for (const row of rows) this.#put(afterEnd(row, { at, reason: cause.reason }));
    this.#events.append(ended.map((session) => sessionEndedEvent(session, { ...cause, at })));
    this.#revocations.append(ended.map((session) => ({ ...session, at, reason: cause.reason })));
    return ended;
  }
}

/**
 * The contract in its plainest form: everything in the memory of one process and gone with it. For tests, for trying
 * things out, and as the reference that the other adapters are compared with.
 */
export class MemoryStorage extends CheckedStorage {
  constructor(options: StorageOptions = {}) {
    super(new Memory(options));
  }
}
