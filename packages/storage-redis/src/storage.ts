import {
  type ApplyResult,
  checkEvent,
  checkLimit,
  checkPage,
  checkSelector,
  checkSession,
  checkSigningKey,
  checkText,
  type ErasedUser,
  type EventRecord,
  type EventSelector,
  type ExpectedRow,
  type MetaRecord,
  type Millis,
  type Page,
  type PageRequest,
  type RevocationCause,
  type RevocationCursor,
  type RevocationPage,
  type RevocationSelector,
  readHistoryPage,
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  type SessionSelector,
  type SigningKeyRecord,
  type Storage,
  StorageError,
  type TenantId,
  type UseNote,
  type UsePolicy,
  type UserId,
} from "@pawl/storage";
import * as endings from "./sessions/endings.js";
import { appendEvents, deleteEvents, listEvents } from "./events.js";
import { listSessionReferences, listSessions, readHistory } from "./sessions/listing.js";
import { pingMasters } from "./connection/server-check.js";
import { applyMigrations } from "./migrations.js";
import type { RevocationWatch } from "./revocation-watch.js";
import { deleteRevocations, readRevocations } from "./revocations.js";
import type { Store } from "./store.js";
import * as sessions from "./sessions/sessions.js";
import * as facts from "./store-facts.js";

type FeedStart = { readonly cursor: RevocationCursor } | { readonly at: Millis };

/** Sessions in Redis: each method is one script, or one for each tag that it concerns (README, "Steps"). */
export class RedisStorage implements Storage {
  readonly #store: Store;
  readonly #watch: RevocationWatch;
  /** Readings of the feed that this turn of the event loop has asked for: many readers mostly stand at one cursor. */
  readonly #feedReads = new Map<string, Promise<RevocationPage>>();
  #closed: Promise<void> | undefined;

  constructor(store: Store, watch: RevocationWatch) {
    this.#store = store;
    this.#watch = watch;
  }

  now(): Millis {
    return this.#store.calls.clock.now();
  }

  async createSession(
    record: SessionRecord,
    limits?: { readonly maxPerUser: number },
  ): Promise<readonly SessionReference[]> {
    this.#check();
    checkSession(record);
    if (limits !== undefined) checkLimit(limits.maxPerUser);
    return this.#wakeAfter(await sessions.createSession(this.#store, record, limits?.maxPerUser));
  }

  async getSession(id: SessionId): Promise<SessionRecord | undefined> {
    this.#check();
    checkText("id", id);
    return sessions.getSession(this.#store, id);
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    this.#check();
    checkText("id", attempt.id);
    return sessions.rotate(this.#store, attempt);
  }

  async applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult> {
    this.#check();
    checkText("id", expected.id);
    if ("events" in change) change.events.forEach(checkEvent);
    const result = await sessions.applyRotation(this.#store, expected, change);
    if (result.kind === "applied") this.#wakeAfter(result.ended);
    return result;
  }

  async reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]> {
    this.#check();
    for (const note of notes) checkText("id", note.id);
    return sessions.reportUses(this.#store, notes, policy);
  }

  async revokeSessions(selector: RevocationSelector, cause: RevocationCause): Promise<readonly SessionReference[]> {
    this.#check();
    checkText("detail", cause.detail);
    checkSelector(selector);
    return this.#wakeAfter(await endings.revokeSessions(this.#store, selector, cause));
  }

  async eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }): Promise<ErasedUser> {
    this.#check();
    checkSelector(user);
    const erased = await endings.eraseUser(this.#store, user);
    this.#wakeAfter(erased.ended);
    return erased;
  }

  async importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]> {
    this.#check();
    records.forEach(checkSession);
    return sessions.importSessions(this.#store, records);
  }

  async listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>> {
    this.#check();
    checkPage(page);
    checkSelector(selector);
    return listSessions(this.#store, selector, page);
  }

  async listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>> {
    this.#check();
    checkPage(page);
    checkSelector(selector);
    return listSessionReferences(this.#store, selector, page);
  }

  async listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>> {
    this.#check();
    checkPage(page);
    checkSelector(user);
    return readHistoryPage(page, (part, from) => readHistory(this.#store, user, { part, ...from }));
  }

  async updateSessionData(id: SessionId, data: string): Promise<boolean> {
    this.#check();
    checkText("id", id);
    checkText("data", data);
    return sessions.update(this.#store, id, { field: "d", value: data });
  }

  async updatePayload(id: SessionId, payload: string): Promise<boolean> {
    this.#check();
    checkText("id", id);
    checkText("payload", payload);
    return sessions.update(this.#store, id, { field: "p", value: payload });
  }

  async deleteExpired(before: Millis, limit: number): Promise<number> {
    this.#check();
    checkLimit(limit);
    return endings.deleteExpired(this.#store, before, limit);
  }

  async getSigningKeys(): Promise<readonly SigningKeyRecord[]> {
    this.#check();
    return facts.getSigningKeys(this.#store);
  }

  async addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean> {
    this.#check();
    checkSigningKey(record);
    return facts.addSigningKey(this.#store, record, ifNewestIs);
  }

  async deleteSigningKeys(kids: readonly string[]): Promise<void> {
    this.#check();
    for (const kid of kids) checkText("kid", kid);
    return facts.deleteSigningKeys(this.#store, kids);
  }

  async resealSigningKey(kid: string, from: string, to: string): Promise<boolean> {
    this.#check();
    checkText("kid", kid);
    checkText("from", from);
    checkText("to", to);
    return facts.replaceField(this.#store, { hash: "sealed", field: kid }, { from, to });
  }

  async claimMeta(name: string, value: string): Promise<string>;
  async claimMeta(name: string): Promise<string | undefined>;
  async claimMeta(name: string, value?: string): Promise<string | undefined> {
    this.#check();
    checkText("name", name);
    checkText("value", value);
    return facts.claimMeta(this.#store, name, value);
  }

  async replaceMeta(name: string, from: string, to: string): Promise<boolean> {
    this.#check();
    checkText("name", name);
    checkText("from", from);
    checkText("to", to);
    return facts.replaceField(this.#store, { hash: "meta", field: name }, { from, to });
  }

  async listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>> {
    this.#check();
    checkText("prefix", prefix);
    checkPage(page);
    return facts.listMeta(this.#store, prefix, page);
  }

  async revocationsSince(from: FeedStart): Promise<RevocationPage> {
    this.#check();
    const key = "at" in from ? String(from.at) : `=${from.cursor}`;
    let reading = this.#feedReads.get(key);
    if (reading === undefined) {
      reading = new Promise((resolve) => {
        // Begun after all of this turn have asked: whoever joins later could miss what it has to see.
        setImmediate(() => {
          this.#feedReads.delete(key);
          resolve(readRevocations(this.#store, from));
        });
      });
      this.#feedReads.set(key, reading);
    }
    return reading;
  }

  watchRevocations(wake: () => void): () => void {
    this.#check();
    return this.#watch.add(wake);
  }

  async deleteRevocations(before: Millis, limit: number): Promise<number> {
    this.#check();
    checkLimit(limit);
    return deleteRevocations(this.#store, before, limit);
  }

  async appendEvents(events: readonly EventRecord[]): Promise<void> {
    this.#check();
    events.forEach(checkEvent);
    return appendEvents(this.#store, events);
  }

  async listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>> {
    this.#check();
    checkPage(page);
    checkSelector(selector);
    return listEvents(this.#store, selector, page);
  }

  async deleteEvents(before: Millis, limit: number): Promise<number> {
    this.#check();
    checkLimit(limit);
    return deleteEvents(this.#store, before, limit);
  }

  async migrate(): Promise<void> {
    this.#check();
    return applyMigrations(this.#store);
  }

  async ping(): Promise<void> {
    this.#check();
    return pingMasters(this.#store);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await this.#store.calls.idle();
    await this.#store.calls.servers.close();
  }

  #check(): void {
    if (this.#closed !== undefined) throw new StorageError("closed", "the storage was closed");
  }

  #wakeAfter(ended: readonly SessionReference[]): readonly SessionReference[] {
    if (ended.length > 0) this.#watch.wake();
    return ended;
  }
}
