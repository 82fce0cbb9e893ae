import {
  type ApplyResult,
  CallBatch,
  checkEvent,
  checkLimit,
  checkPage,
  checkSelector,
  checkSession,
  checkSigningKey,
  checkText,
  type Clock,
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
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  RunningCalls,
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
import type { Database } from "./connection/database.js";
import { eventArrays, listEvents } from "./events.js";
import { isOfOneCall } from "./connection/failure.js";
import { applyMigrations } from "./migrations.js";
import type { Address } from "./options.js";
import { RevocationWatch } from "./revocation-watch.js";
import { readRevocations } from "./revocations.js";
import * as rotation from "./sessions/rotation.js";
import * as sessions from "./sessions/sessions.js";
import { addSigningKey, getSigningKeys } from "./signing-keys.js";
import * as statements from "./statements.js";

/** What a storage is put together from. */
interface Parts {
  readonly database: Database;
  /** The database's time without asking it. */
  readonly clock: Clock;
  readonly listenAddress: Address | undefined;
  readonly partitions: number;
  /** For how many milliseconds a call waits. */
  readonly timeout: number;
  /** Takes the place of the database's time. */
  readonly injectedClock?: Clock;
}

/** How many batches of one kind are on their way at once: while they are, the next one gathers. */
const lanes = 2;

/** So many calls make a batch at most. */
const batchLimit = 128;

/** The contract on PostgreSQL: checks what it is handed, and asks for it alone or together with others of its kind. */
export class PostgresStorage implements Storage {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #injectedClock: Clock | undefined;
  readonly #partitions: number;
  readonly #watch: RevocationWatch;
  readonly #rotations: CallBatch<RotationAttempt, RotationResult>;
  readonly #reads: CallBatch<SessionId, sessions.ReadSession>;
  readonly #creations: CallBatch<SessionRecord, boolean>;
  readonly #accepted = new RunningCalls();
  #closed: Promise<void> | undefined;

  constructor({ database, clock, listenAddress, partitions, timeout, injectedClock }: Parts) {
    this.#database = database;
    this.#clock = injectedClock ?? clock;
    this.#injectedClock = injectedClock;
    this.#partitions = partitions;
    this.#watch = new RevocationWatch(database, listenAddress);
    const common = { lanes, limit: batchLimit, timeout, isOfOneCall };
    this.#rotations = new CallBatch({
      ...common,
      keyOf: ({ id }) => id,
      run: (attempts) => rotation.rotateAll(this.#context(), attempts),
    });
    this.#reads = new CallBatch({ ...common, run: (ids) => sessions.readSessions(this.#context(), ids) });
    this.#creations = new CallBatch({
      ...common,
      run: (records) => sessions.insertSessions(database, records),
      weigh: ({ payload, data, userId, device = "" }) => payload.length + data.length + userId.length + device.length,
    });
  }

  now(): Millis {
    return this.#clock.now();
  }

  async createSession(
    record: SessionRecord,
    limits?: { readonly maxPerUser: number },
  ): Promise<readonly SessionReference[]> {
    checkSession(record);
    if (limits !== undefined) {
      checkLimit(limits.maxPerUser);
      return this.#accept(() => sessions.createLimited(this.#context(), record, limits.maxPerUser));
    }
    if (!(await this.#accept(() => this.#creations.add(record)))) throw sessions.taken();
    return [];
  }

  async getSession(id: SessionId): Promise<SessionRecord | undefined> {
    checkText("id", id);
    return (await this.#accept(() => this.#reads.add(id))).record;
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    checkText("id", attempt.id);
    checkText("secretHash", attempt.secretHash);
    return this.#accept(() => this.#rotations.add(attempt));
  }

  async applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult> {
    checkText("id", expected.id);
    if ("events" in change) change.events.forEach(checkEvent);
    return this.#accept(() => rotation.applyRotation(this.#context(), expected, change));
  }

  async reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]> {
    for (const note of notes) checkText("id", note.id);
    return this.#accept(() => rotation.reportUses(this.#context(), notes, policy));
  }

  async revokeSessions(selector: RevocationSelector, cause: RevocationCause): Promise<readonly SessionReference[]> {
    checkText("detail", cause.detail);
    checkSelector(selector);
    return this.#accept(() => sessions.revokeSessions(this.#context(), selector, cause));
  }

  async eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }): Promise<ErasedUser> {
    checkSelector(user);
    return this.#accept(() => sessions.eraseUser(this.#context(), user));
  }

  async importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]> {
    records.forEach(checkSession);
    return this.#accept(() => sessions.insertSessions(this.#database, records));
  }

  async listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>> {
    checkPage(page);
    checkSelector(selector);
    return this.#accept(() => sessions.listSessions(this.#context(), { ...selector, ...page }));
  }

  async listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>> {
    checkPage(page);
    checkSelector(selector);
    return this.#accept(() => sessions.listReferences(this.#context(), { ...selector, ...page }));
  }

  async listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>> {
    checkPage(page);
    checkSelector(user);
    return this.#accept(() => sessions.listHistory(this.#context(), user, page));
  }

  async updateSessionData(id: SessionId, data: string): Promise<boolean> {
    checkText("id", id);
    checkText("data", data);
    const change = { id, value: data };
    return this.#accept(() => sessions.updateSession(this.#context(), statements.updateData, change));
  }

  async updatePayload(id: SessionId, payload: string): Promise<boolean> {
    checkText("id", id);
    checkText("payload", payload);
    const change = { id, value: payload };
    return this.#accept(() => sessions.updateSession(this.#context(), statements.updatePayload, change));
  }

  async deleteExpired(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#accept(() => sessions.deleteExpired(this.#context(), before, limit));
  }

  async getSigningKeys(): Promise<readonly SigningKeyRecord[]> {
    return this.#accept(() => getSigningKeys(this.#database));
  }

  async addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean> {
    checkSigningKey(record);
    checkText("ifNewestIs", ifNewestIs);
    return this.#accept(() => addSigningKey(this.#database, record, ifNewestIs));
  }

  async deleteSigningKeys(kids: readonly string[]): Promise<void> {
    for (const kid of kids) checkText("kid", kid);
    await this.#accept(() => this.#database.query(statements.deleteSigningKeys, [kids]));
  }

  async resealSigningKey(kid: string, from: string, to: string): Promise<boolean> {
    checkText("kid", kid);
    checkText("from", from);
    checkText("to", to);
    return this.#changes(() => this.#database.query(statements.resealSigningKey, [kid, from, to]));
  }

  async claimMeta(name: string, value: string): Promise<string>;
  async claimMeta(name: string): Promise<string | undefined>;
  async claimMeta(name: string, value?: string): Promise<string | undefined> {
    checkText("name", name);
    checkText("value", value);
    const [row] = await this.#accept(() =>
      value === undefined
        ? this.#database.query(statements.selectMeta, [name])
        : this.#database.query(statements.claimMeta, [name, value]),
    );
    return row?.value;
  }

  async replaceMeta(name: string, from: string, to: string): Promise<boolean> {
    checkText("name", name);
    checkText("from", from);
    checkText("to", to);
    return this.#changes(() => this.#database.query(statements.replaceMeta, [name, from, to]));
  }

  async listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>> {
    checkText("prefix", prefix);
    checkPage(page);
    const { limit, after = "" } = page;
    const found = await this.#accept(() => this.#database.query(statements.listMeta, [prefix, after, limit + 1]));
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: last.name } : { items };
  }

  async revocationsSince(
    from: { readonly cursor: RevocationCursor } | { readonly at: Millis },
  ): Promise<RevocationPage> {
    return this.#accept(() => readRevocations(this.#database, from));
  }

  watchRevocations(wake: () => void): () => void {
    this.#check();
    return this.#watch.add(wake);
  }

  async deleteRevocations(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#count(() => this.#database.query(statements.deleteRevocations, [before, limit]));
  }

  async appendEvents(events: readonly EventRecord[]): Promise<void> {
    events.forEach(checkEvent);
    await this.#accept(() => this.#database.query(statements.insertEvents, eventArrays(events)));
  }

  async listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>> {
    checkPage(page);
    checkSelector(selector);
    return this.#accept(() => listEvents(this.#database, selector, page));
  }

  async deleteEvents(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#count(() => this.#database.query(statements.deleteEvents, [before, limit]));
  }

  async migrate(): Promise<void> {
    return this.#accept(() => applyMigrations(this.#database, { now: this.now(), partitions: this.#partitions }));
  }

  async ping(): Promise<void> {
    await this.#accept(() => this.#database.query(statements.touchSchema));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await this.#accepted.ended();
    await this.#database.close();
  }

  #context(): sessions.Context {
    return { database: this.#database, time: this.#injectedClock?.now() ?? null, now: () => this.now() };
  }

  #check(): void {
    if (this.#closed !== undefined) throw new StorageError("closed", "the storage was closed");
  }

  /** Does what was asked for, unless the storage was closed before; closing waits for it. */
  async #accept<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    return this.#accepted.run(work);
  }

  async #changes(work: () => Promise<readonly object[]>): Promise<boolean> {
    return (await this.#accept(work)).length > 0;
  }

  async #count(work: () => Promise<readonly { readonly count: number }[]>): Promise<number> {
    const [row] = await this.#accept(work);
    return row?.count ?? 0;
  }
}
