import {
  type ApplyResult,
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
  readHistoryPage,
  type RevocationCause,
  type RevocationCursor,
  type RevocationPage,
  type RevocationSelector,
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
import type { Checkpoint } from "./connection/checkpoint.js";
import type { Database } from "./connection/database.js";
import type { DatabaseFile } from "./connection/database-file.js";
import type { Parameters } from "./connection/database.js";
import type { Value } from "./connection/driver.js";
import { appendEvents, listEvents } from "./events.js";
import { whenUnlocked } from "./connection/lock-wait.js";
import { applyMigrations } from "./migrations.js";
import { RevocationWatch } from "./revocation-watch.js";
import { newestRevocation, readRevocations } from "./revocations.js";
import { recordOf, referenceOf } from "./sessions/session-row.js";
import * as sessions from "./sessions/sessions.js";
import { addSigningKey, deleteSigningKeys, getSigningKeys } from "./signing-keys.js";
import * as statements from "./statements.js";
import { WriteGroup } from "./connection/write-group.js";

/** What a storage is put together from. */
interface Parts {
  readonly database: Database;
  readonly checkpoint: Checkpoint;
  readonly lockTimeout: number;
  readonly clock: Clock;
  /** Absent for a database in memory. */
  readonly file?: DatabaseFile;
}

/** The contract on SQLite: checks what it is handed, and does it as a read at once or as a write in the next group. */
export class SqliteStorage implements Storage {
  readonly #database: Database;
  readonly #checkpoint: Checkpoint;
  readonly #lockTimeout: number;
  readonly #clock: Clock;
  readonly #writes: WriteGroup;
  readonly #watch: RevocationWatch;
  #closed: Promise<void> | undefined;

  constructor({ database, checkpoint, lockTimeout, clock, file }: Parts) {
    this.#database = database;
    this.#checkpoint = checkpoint;
    this.#lockTimeout = lockTimeout;
    this.#clock = clock;
    this.#writes = new WriteGroup(database, {
      lockTimeout,
      beforeBegin: () => file?.check(),
      onCommit: () => checkpoint.afterCommit(),
    });
    this.#watch = new RevocationWatch(() => newestRevocation(database));
  }

  now(): Millis {
    return this.#clock.now();
  }

  async createSession(
    record: SessionRecord,
    limits?: { readonly maxPerUser: number },
  ): Promise<readonly SessionReference[]> {
    checkSession(record);
    if (limits !== undefined) checkLimit(limits.maxPerUser);
    return this.#wakeAfter(
      await this.#write((transaction) => sessions.createSession(transaction, record, limits?.maxPerUser)),
    );
  }

  async getSession(id: SessionId): Promise<SessionRecord | undefined> {
    checkText("id", id);
    return this.#read((database) => sessions.getSession(database, id));
  }

  async rotate(attempt: RotationAttempt): Promise<RotationResult> {
    checkText("id", attempt.id);
    return this.#write((transaction) => sessions.rotate(transaction, attempt));
  }

  async applyRotation(expected: ExpectedRow, change: RotationChange): Promise<ApplyResult> {
    checkText("id", expected.id);
    if ("events" in change) change.events.forEach(checkEvent);
    const result = await this.#write((transaction) => sessions.applyRotation(transaction, expected, change));
    if (result.kind === "applied") this.#wakeAfter(result.ended);
    return result;
  }

  async reportUses(notes: readonly UseNote[], policy: UsePolicy): Promise<readonly (SessionRecord | undefined)[]> {
    for (const note of notes) checkText("id", note.id);
    return this.#write((transaction) => notes.map((note) => sessions.reportUse(transaction, note, policy)));
  }

  async revokeSessions(selector: RevocationSelector, cause: RevocationCause): Promise<readonly SessionReference[]> {
    checkText("detail", cause.detail);
    checkSelector(selector);
    return this.#wakeAfter(await this.#write((transaction) => sessions.revokeSessions(transaction, selector, cause)));
  }

  async eraseUser(user: { readonly tenantId: TenantId; readonly userId: UserId }): Promise<ErasedUser> {
    checkSelector(user);
    const erased = await this.#write((transaction) => sessions.eraseUser(transaction, user));
    this.#wakeAfter(erased.ended);
    return erased;
  }

  async importSessions(records: readonly SessionRecord[]): Promise<readonly boolean[]> {
    records.forEach(checkSession);
    return this.#write((transaction) => sessions.importSessions(transaction, records));
  }

  async listSessions(selector: SessionSelector, page: PageRequest): Promise<Page<SessionRecord>> {
    return this.#list(selector, page, (database, listed, parameters) =>
      database.all(statements.listSessions(listed), parameters).map(recordOf),
    );
  }

  async listSessionReferences(selector: SessionSelector, page: PageRequest): Promise<Page<SessionReference>> {
    return this.#list(selector, page, (database, listed, parameters) =>
      database.all(statements.listReferences(listed), parameters).map(referenceOf),
    );
  }

  async listSessionHistory(
    user: { readonly tenantId: TenantId; readonly userId: UserId },
    page: PageRequest,
  ): Promise<Page<SessionRecord>> {
    checkPage(page);
    checkSelector(user);
    return readHistoryPage(page, (part, from) =>
      this.#read((database) => sessions.selectHistory(database, user, { part, ...from })),
    );
  }

  async updateSessionData(id: SessionId, data: string): Promise<boolean> {
    checkText("data", data);
    return this.#update(statements.updateData, id, data);
  }

  async updatePayload(id: SessionId, payload: string): Promise<boolean> {
    checkText("payload", payload);
    return this.#update(statements.updatePayload, id, payload);
  }

  async deleteExpired(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    let deleted = 0;
    for (;;) {
      const wanted = limit - deleted;
      const swept = await this.#write(({ database }) => sessions.sweep(database, before, wanted));
      deleted += swept.deleted;
      if (deleted === limit || swept.seen < wanted) return deleted;
    }
  }

  async getSigningKeys(): Promise<readonly SigningKeyRecord[]> {
    return this.#read(getSigningKeys);
  }

  async addSigningKey(record: SigningKeyRecord, ifNewestIs: string | undefined): Promise<boolean> {
    checkSigningKey(record);
    return this.#write(({ database }) => addSigningKey(database, record, ifNewestIs));
  }

  async deleteSigningKeys(kids: readonly string[]): Promise<void> {
    for (const kid of kids) checkText("kid", kid);
    return this.#write(({ database }) => deleteSigningKeys(database, kids));
  }

  async resealSigningKey(kid: string, from: string, to: string): Promise<boolean> {
    checkText("kid", kid);
    checkText("from", from);
    checkText("to", to);
    return this.#write(({ database }) => database.run(statements.resealSigningKey, { kid, from, to }) > 0);
  }

  async claimMeta(name: string, value: string): Promise<string>;
  async claimMeta(name: string): Promise<string | undefined>;
  async claimMeta(name: string, value?: string): Promise<string | undefined> {
    checkText("name", name);
    checkText("value", value);
    const read = (database: Database): string | undefined => database.get(statements.selectMeta, { name })?.value;
    if (value === undefined) return this.#read(read);
    return this.#write(({ database }) => {
      database.run(statements.insertMeta, { name, value });
      return read(database);
    });
  }

  async replaceMeta(name: string, from: string, to: string): Promise<boolean> {
    checkText("name", name);
    checkText("from", from);
    checkText("to", to);
    return this.#write(({ database }) => database.run(statements.replaceMeta, { name, from, to }) > 0);
  }

  async listMeta(prefix: string, page: PageRequest): Promise<Page<MetaRecord>> {
    checkText("prefix", prefix);
    checkPage(page);
    const { limit, after = "" } = page;
    const found = await this.#read((database) =>
      database.all(statements.listMeta, { prefix, after, limit: limit + 1 }),
    );
    const items = found.slice(0, limit).map(({ name, value }) => ({ name, value }));
    const last = items.at(-1);
    return found.length > limit && last !== undefined ? { items, next: last.name } : { items };
  }

  async revocationsSince(
    from: { readonly cursor: RevocationCursor } | { readonly at: Millis },
  ): Promise<RevocationPage> {
    return this.#read((database) => readRevocations(database, from));
  }

  watchRevocations(wake: () => void): () => void {
    this.#check();
    return this.#watch.add(wake);
  }

  async deleteRevocations(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#write(({ database }) => database.run(statements.deleteRevocations, { before, limit }));
  }

  async appendEvents(events: readonly EventRecord[]): Promise<void> {
    events.forEach(checkEvent);
    return this.#write(({ database }) => appendEvents(database, events));
  }

  async listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>> {
    checkPage(page);
    checkSelector(selector);
    return this.#read((database) => listEvents(database, selector, page));
  }

  async deleteEvents(before: Millis, limit: number): Promise<number> {
    checkLimit(limit);
    return this.#write(({ database }) => database.run(statements.deleteEvents, { before, limit }));
  }

  async migrate(): Promise<void> {
    return this.#write(({ database, now }) => applyMigrations(database, now));
  }

  async ping(): Promise<void> {
    await this.#write(({ database }) => database.run(statements.touchSchema));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#watch.close();
    // Writes are done in the order they came, so what was accepted is finished when this one is, or has failed.
    await this.#writes.run(() => undefined).catch(() => undefined);
    this.#checkpoint.run();
    this.#checkpoint.close();
    this.#database.close();
  }

  #check(): void {
    if (this.#closed !== undefined) throw new StorageError("closed", "the storage was closed");
  }

  #read<T>(work: (database: Database) => T): Promise<T> {
    this.#check();
    return whenUnlocked(() => work(this.#database), {
      timeout: this.#lockTimeout,
      onFailure: () => this.#database.reset(),
    });
  }

  #write<T>(work: (transaction: sessions.Transaction) => T): Promise<T> {
    this.#check();
    return this.#writes.run(() => work({ database: this.#database, now: this.now() }));
  }

  #wakeAfter(ended: readonly SessionReference[]): readonly SessionReference[] {
    if (ended.length > 0) this.#watch.wake();
    return ended;
  }

  #update(statement: string, id: SessionId, value: string): Promise<boolean> {
    checkText("id", id);
    return this.#write(({ database, now }) => database.run(statement, { id, value, now }) > 0);
  }

  #list<T extends SessionReference>(
    selector: SessionSelector,
    page: PageRequest,
    select: (
      database: Database,
      listed: SessionSelector & { readonly after: string | undefined },
      parameters: Parameters,
    ) => readonly T[],
  ): Promise<Page<T>> {
    checkPage(page);
    checkSelector(selector);
    const parameters: Record<string, Value> = { now: this.now(), limit: page.limit + 1 };
    if (selector.tenantId !== undefined) parameters["tenantId"] = selector.tenantId;
    if (selector.userId !== undefined) parameters["userId"] = selector.userId;
    if (page.after !== undefined) parameters["after"] = page.after;
    return this.#read((database) => {
      const rows = select(database, { ...selector, after: page.after }, parameters);
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      return rows.length > page.limit && last !== undefined ? { items, next: last.id } : { items };
    });
  }
}
