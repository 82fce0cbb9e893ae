import {
  bucketOfUser,
  type Clock,
  type FeedStart,
  type Millis,
  millis,
  NEVER,
  PUBLIC_TENANT,
  type RotationAttempt,
  type SessionId,
  type SessionRecord,
  type SigningKeyRecord,
  type Storage,
  type StorageOptions,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { onTestFinished } from "vitest";

/** What a storage is opened with. */
export interface OpenContext {
  readonly clock: Clock;
  /** Names one store: opened twice, it is the same content again. New for every test. */
  readonly location: string;
  /** `StorageOptions.outbox`. */
  readonly outbox?: StorageOptions["outbox"];
}

/** Opens a storage for a test; the kit migrates and closes it. */
export type OpenStore = (context: OpenContext) => Promise<Storage>;

/** A clock that a test moves. */
export class TestClock implements Clock {
  #now = 1_800_000_000_000;

  now(): Millis {
    return millis(this.#now);
  }

  advance(duration: number): void {
    this.#now += duration;
  }
}

export interface TestStore {
  readonly storage: Storage;
  readonly clock: TestClock;
  readonly location: string;
  readonly outbox?: StorageOptions["outbox"];
}

/** Opens a new, empty, migrated storage, which is closed at the end of the test. */
export const openTestStore = async (
  open: OpenStore,
  at: Partial<Omit<TestStore, "storage">> = {},
): Promise<TestStore> => {
  const { clock = new TestClock(), location = crypto.randomUUID(), outbox } = at;
  const storage = await open({ clock, location, outbox });
  onTestFinished(() => storage.close());
  await storage.migrate();
  return { storage, clock, location, outbox };
};

export const userId = (name: string): UserId => name as UserId;
export const tenantId = (name: string): TenantId => name as TenantId;

interface Owner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

const alice: Owner = { tenantId: PUBLIC_TENANT, userId: userId("alice") };

/** The bucket of a user as its sessions' ids begin with it. */
export const bucketText = (owner: Owner): string => bucketOfUser(owner).toString(16).padStart(4, "0");

/** An id of a new session of the user, alice where none is given. */
export const sessionId = (owner: Owner = alice): SessionId =>
  `${bucketText(owner)}${crypto.randomUUID().slice(4)}` as SessionId;

export const day = 86_400_000;

/** A session as a login makes it, with the given parts. */
export const sessionRecord = (clock: Clock, parts: Partial<SessionRecord> = {}): SessionRecord => ({
  id: sessionId({ ...alice, ...parts }),
  ...alice,
  secretHash: "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
  current: 0,
  next: 0,
  issuedAt: millis(0),
  keyKind: "dynamic",
  payload: '{"role":"reader"}',
  data: '{"cart":[]}',
  facts: "{}",
  factsVersion: 0,
  payloadVersion: 0,
  bound: "",
  createdAt: clock.now(),
  lastActiveAt: clock.now(),
  expiresAt: millis(clock.now() + 100 * day),
  idleExpiresAt: NEVER,
  ...parts,
});

/** Creates a session and returns its record. */
export const createSession = async (
  { storage, clock }: TestStore,
  parts: Partial<SessionRecord> = {},
): Promise<SessionRecord> => {
  const record = sessionRecord(clock, parts);
  await storage.createSession(record);
  return record;
};

export const reuseWindow = millis(30_000);

/** What uses are judged with. */
export const usePolicy = { window: reuseWindow, activityInterval: millis(60_000) };

export const lifetimes = { refreshValidity: millis(100 * day) };

/** An attempt to refresh with the newest token of a row, sealed when the row was issued. */
export const attemptOf = (record: SessionRecord, parts: Partial<RotationAttempt> = {}): RotationAttempt => ({
  id: record.id,
  seq: record.next,
  iat: record.issuedAt,
  secretHash: record.secretHash,
  window: reuseWindow,
  lifetimes,
  ...parts,
});

export const signingKey = (clock: Clock, parts: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
  kid: `d-${clock.now()}`,
  algorithm: "ES256",
  kind: "dynamic",
  publicKey: "MFkwEwYHKoZIzj0CAQ",
  sealedPrivateKey: "c2VhbGVk",
  createdAt: clock.now(),
  signsFrom: clock.now(),
  ...parts,
});

/** Runs something `count` times at once. */
export const atOnce = <T>(count: number, run: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => run(index)));

/** Ids in an order that does not depend on the store's. */
export const idsOf = (sessions: readonly { readonly id: SessionId }[]): readonly SessionId[] =>
  sessions.map(({ id }) => id).toSorted();

/** The ids in the whole feed of revocations, page after page. @throws Error where a cursor is not known any more. */
export const revokedIds = async (storage: Pick<Storage, "revocationsSince">): Promise<ReadonlySet<SessionId>> => {
  const ids = new Set<SessionId>();
  let from: FeedStart = { at: millis(0) };
  for (;;) {
    const page = await storage.revocationsSince(from);
    if (page.kind !== "page") throw new Error("the feed has lost its place");
    for (const { id } of page.items) ids.add(id);
    if (!page.more) return ids;
    from = { cursor: page.cursor };
  }
};
