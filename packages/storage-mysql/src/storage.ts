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
  type ErasedUser,
  type EventRecord,
  type EventSelector,
  type ExpectedRow,
  type MetaRecord,
  type Millis,
  type Page,
  type PageRequest,
  readHistoryPage,
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
import type { ConnectionPool } from "./connection/connection-pool.js";
import type { Database } from "./connection/database.js";
import { isOfOneCall } from "./connection/failure.js";
import { insertEvents, listEvents } from "./events.js";
import { claimMeta, listMeta, replaceMeta } from "./meta.js";
import { applyMigrations } from "./migrations.js";
import { RevocationWatch } from "./revocation-watch.js";
import { deleteRevocations, readFeedState, readRevocations } from "./revocations.js";
import { rotateAll } from "./sessions/rotation.js";
import type { ReferenceRow, SessionRow } from "./rows.js";
import { recordOf, referenceOf } from "./sessions/session-row.js";
import * as sessions from "./sessions/sessions.js";
import { addSigningKey, deleteSigningKeys, getSigningKeys, resealSigningKey } from "./signing-keys.js";
import * as statements from "./statements.js";

/** So many batches of one kind are on their way at once. */
const lanes = 2;

/** So many calls make a batch at most. */
const batchLimit = 256;

/** So many rows are deleted in one transaction at most, so that none is locked for long. */
const sweepLimit = 1000;

/** The contract on MySQL and MariaDB: checks what it is handed, and does it alone or in a batch with others. */
export class MysqlStorage implements Storage {
  readonly #pool: ConnectionPool;
  readonly #database: Database;
  readonly #timeout: number;
  readonly #watch: RevocationWatch;
  readonly #rotations: CallBatch<RotationAttempt, RotationResult>;
  readonly #creations: CallBatch<sessions.Creation, readonly SessionReference[]>;
  readonly #reads: CallBatch<SessionId, SessionRecord | undefined>;
  readonly #running = new RunningCalls();
  #closed: Promise<void> | undefined;

  constructor(pool: ConnectionPool, database: Database, timeout: number) {
    this.#pool = pool;
    this.#database = database;
    this.#timeout = timeout;
    this.#watch = new RevocationWatch((from) => readFeedState(database, from));
    const common = { lanes, limit: batchLimit, timeout, isOfOneCall };
    this.#rotations = new CallBatch({
      ...common,
      keyOf: ({ id }) => id,
      run: (attempts) => rotateAll(database, attempts),
    });
    this.#reads = new CallBatch({ ...common, keyOf: (id) => id, run: (ids) => sessions.getSessions(database, ids) });
    this.#creations = new CallBatch({
      ...common,
      keyOf: ({ record }) => JSON.stringify([record.tenantId, record.userId]),
      weigh: ({ record }) => record.payload.length + record.data.length + (record.device?.length ?? 0),
      run: (creations) => sessions.createSessions(database, creations),
    });
  }

  now(): Millis {
    return this.#database.clock.now();
  }

  async createSession(
    record: SessionRecord,
    limits?: { readonly maxPerUser: number },
  ): Promise<readonly SessionReference[]> {
    checkSession(record);
    if (limits !== undefined) checkLimit(limits.maxPerUser);
    return this.#wakeAfter(await this.#within(() => this.#creations.add({ record, ...limits })));
  }

  async getSession(id: SessionId): Promise<SessionRecord | undefined> {
    checkText("id", id);
    return this.#within(() => this.#reads.add(id));
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    checkText("id", attempt.id);
    checkText("secretHash", attempt.secretHash);
    return this.#within(() => this.#rotations.add(attempt));
  }

  async applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult> {
    checkText("id", expected.id);
    if ("events" in change) change.events.forEach(checkEvent);
    const result = await this.#within(() => sessions.applyRotation(this.#database, expected, change));
    if (result.kind === "applied") this.#wakeAfter(result.ended);
    return result;
  }

  async reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]> {
    for (const note of notes) checkText("id", note.id);
    if (notes.length === 0) return this.#run(async () => []);
    return this.#within(() => sessions.reportUses(this.#database, notes, policy));
  }

  async revokeSessions(selector: RevocationSelector, cause: RevocationCause): Promise<readonly SessionReference[]> {
    checkText("detail", cause.detail);
    checkSelector(selector);
    return this.#wakeAfter(await this.#run(() => sessions.revokeSessions(this.#database, selector, cause)));
  }

  async eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }): Promise<ErasedUser> {
    checkSelector(user);
    const erased = await this.#run(() => sessions.eraseUser(this.#database, user));
    this.#wakeAfter(erased.ended);
    return erased;
  }

  async importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]> {
    records.forEach(checkSession);
    return this.#run(async () => (records.length === 0 ? [] : sessions.importSessions(this.#database, records)));
  }

  async listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>> {
    return this.#list(selector, page, statements.listSessions, (row) => recordOf(row as SessionRow));
  }

  async listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>> {
    return this.#list(selector, page, statements.listReferences, (row) => referenceOf(row as ReferenceRow));
  }

  async listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>> {
    checkPage(page);
    checkSelector(user);
    return readHistoryPage(page, async (part, from) => {
      const [answer] = await this.#within(() => this.#database.send(statements.selectHistory(part, user, from)));
      return (answer?.rows ?? []).map((row) => recordOf(row as SessionRow));
    });
  }

  async updateSessionData(id: SessionId, data: string): Promise<boolean> {
    checkText("data", data);
    return this.#update("data", id, data);
  }

  async updatePayload(id: SessionId, payload: string): Promise<boolean> {
    checkText("payload", payload);
    return this.#update("payload", id, payload);
  }

  async deleteExpired(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#run(async () => {
      let deleted = 0;
      for (;;) {
        const wanted = Math.min(limit - deleted, sweepLimit);
        const swept = await sessions.sweep(this.#database, before, wanted);
        deleted += swept.deleted;
        if (deleted === limit || swept.seen < wanted) return deleted;
      }
    });
  }

  async getSigningKeys(): Promise<readonly SigningKeyRecord[]> {
    return this.#within(() => getSigningKeys(this.#database));
  }

  async addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean> {
    checkSigningKey(record);
    return this.#within(() => addSigningKey(this.#database, record, ifNewestIs));
  }

  async deleteSigningKeys(kids: readonly string[]): Promise<void> {
    for (const kid of kids) checkText("kid", kid);
    return this.#within(() => deleteSigningKeys(this.#database, kids));
  }

  async resealSigningKey(kid: string, from: string, to: string): Promise<boolean> {
    for (const text of [kid, from, to]) checkText("a signing key", text);
    return this.#within(() => resealSigningKey(this.#database, kid, { from, to }));
  }

  async claimMeta(name: string, value: string): Promise<string>;
  async claimMeta(name: string): Promise<string | undefined>;
  async claimMeta(name: string, value?: string): Promise<string | undefined> {
    checkText("name", name);
    checkText("value", value);
    return this.#within(() => claimMeta(this.#database, name, value));
  }

  async replaceMeta(name: string, from: string, to: string): Promise<boolean> {
    for (const text of [name, from, to]) checkText("a fact", text);
    return this.#within(() => replaceMeta(this.#database, name, { from, to }));
  }

  async listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>> {
    checkText("prefix", prefix);
    checkPage(page);
    return this.#within(() => listMeta(this.#database, prefix, page));
  }

  async revocationsSince(
    from: { readonly cursor: RevocationCursor } | { readonly at: Millis },
  ): Promise<RevocationPage> {
    return this.#within(() => readRevocations(this.#database, from));
  }

  watchRevocations(wake: () => void): () => void {
    this.#check();
    return this.#watch.add(wake);
  }

  async deleteRevocations(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#run(() => deleteRevocations(this.#database, before, limit));
  }

  async appendEvents(events: readonly EventRecord[]): Promise<void> {
    events.forEach(checkEvent);
    if (events.length === 0) return this.#run(async () => undefined);
    return this.#within(() =>
      this.#database.transact([], () => ({ writes: insertEvents(events), result: () => undefined })),
    );
  }

  async listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>> {
    checkPage(page);
    checkSelector(selector);
    return this.#within(() => listEvents(this.#database, selector, page));
  }

  async deleteEvents(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    const [answer] = await this.#run(() => this.#database.send(statements.deleteEvents(before, limit)));
    return answer?.affected ?? 0;
  }

  async migrate(): Promise<void> {
    return this.#run(() => this.#database.use(applyMigrations));
  }

  async ping(): Promise<void> {
    await this.#within(() => this.#database.send(statements.touchSchema));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    await this.#running.ended();
    this.#pool.close();
  }

  #check(): void {
    if (this.#closed !== undefined) throw new StorageError("closed", "the storage was closed");
  }

  /** Does work that `close` waits for. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    return this.#running.run(work);
  }

  /** Does work that its caller does not wait for longer than the time-out. */
  async #within<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `the server did not answer within ${this.#timeout} ms: whether the call was done is not known`;
      timer = setTimeout(() => reject(new StorageError("unavailable", message)), this.#timeout);
    });
    try {
      return await Promise.race([this.#run(work), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #wakeAfter(ended: readonly SessionReference[]): readonly SessionReference[] {
    if (ended.length > 0) this.#watch.wake();
    return ended;
  }

  async #update(column: "payload" | "data", id: SessionId, value: string): Promise<boolean> {
    checkText("id", id);
    const [answer] = await this.#within(() =>
      this.#database.send(statements.updateText(column, id, value, this.#database.clock.expression)),
    );
    return (answer?.affected ?? 0) > 0;
  }

  async #list<T extends SessionReference>(
    selector: SessionSelector,
    { limit, after }: PageRequest,
    select: typeof statements.listSessions,
    read: (row: object) => T,
  ): Promise<Page<T>> {
    checkPage({ limit, ...(after === undefined ? {} : { after }) });
    checkSelector(selector);
    const statement = select(selector, { now: this.#database.clock.expression, after, limit: limit + 1 });
    const [answer] = await this.#within(() => this.#database.send(statement));
    const items = (answer?.rows ?? []).map(read);
    const listed = items.slice(0, limit);
    const last = listed.at(-1);
    return items.length > limit && last !== undefined ? { items: listed, next: last.id } : { items: listed };
  }
}
