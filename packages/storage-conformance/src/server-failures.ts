import { millis, type SessionId, type SessionRecord, type Storage, StorageError } from "@pawl/storage";
import { describe, expect, it, vi } from "vitest";
import { attemptOf, openTestStore, revokedIds, sessionRecord } from "./store.js";

/** A server that a test stops and starts. */
export interface ServerUnderTest {
  readonly start: () => Promise<unknown>;
  /** In order. */
  readonly shutDown: () => Promise<unknown>;
  /** As a power cut does. */
  readonly kill: () => Promise<unknown>;
  /** It answers nothing, and keeps its connections. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** When the next write costs a client its connection. */
type Cut = "before the server has it" | "before the client has the answer";

export interface ServerFailures {
  readonly server: () => ServerUnderTest;
  /** Opens the one store of these tests, for calls that wait that many milliseconds. */
  readonly open: (timeout: number) => Promise<Storage>;
  /** Opens it through a proxy that can be cut. */
  readonly openThroughProxy: () => Promise<{ readonly storage: Storage; readonly cutNext: (cut: Cut) => void }>;
  /** What the message of a call says that was cut off. */
  readonly cutOff: string;
}

/** What a call fails with, which has to be a `StorageError`. */
export const failureOf = async (call: Promise<unknown>): Promise<StorageError> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
};

/** Resolves when the storage works again. */
export const works = (storage: Storage): Promise<void> =>
  vi.waitFor(() => storage.ping(), { timeout: 20_000, interval: 50 });

const create = async (storage: Storage): Promise<SessionRecord> => {
  const record = sessionRecord(storage);
  await storage.createSession(record);
  return record;
};

/** Every way to the server, so that none is forgotten. */
const someCalls = (storage: Storage, record: SessionRecord): readonly (() => Promise<unknown>)[] => [
  () => storage.createSession(sessionRecord(storage)),
  () => storage.createSession(sessionRecord(storage), { maxPerUser: 3 }),
  () => storage.getSession(record.id),
  () => storage.rotate(attemptOf(record)),
  () => storage.applyRotation(record, { kind: "end", reason: "token_reuse", events: [] }),
  () =>
    storage.reportUses([{ id: record.id, seq: 0, iat: storage.now() }], {
      window: millis(0),
      activityInterval: millis(60_000),
    }),
  () => storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
  () => storage.revokeSessions({ kind: "tenant", tenantId: record.tenantId }, { reason: "logout" }),
  () => storage.listSessions({}, { limit: 3 }),
  () => storage.changeSession(record.id, { data: "{}" }),
  () => storage.changeSession(record.id, { payload: "{}", announced: true }),
  () => storage.liveOf([record.id]),
  () => storage.deleteExpired(storage.now(), 3),
  () => storage.getSigningKeys(),
  () => storage.claimMeta("a"),
  () => storage.revocationsSince({ at: storage.now() }),
  () => storage.changesSince({ at: storage.now() }),
  () => storage.listEvents({}, { limit: 3 }),
  () => storage.takeOutbox(3, storage.now()),
  () => storage.settleOutbox({ key: "key", destination: "a" }, { kind: "delivered" }),
  () => storage.listOutbox({ dead: false }, { limit: 3 }),
  () => storage.addCounts([{ hour: millis(0), name: "login", count: 1 }]),
  () => storage.listCounts({ from: millis(0), to: storage.now() }, { limit: 3 }),
  () => storage.eraseUser(record),
  () => storage.importSessions([record]),
  () => storage.ping(),
];

/** Creates, rotates and revokes sessions until the server fails. */
const load = async (storage: Storage) => {
  const acknowledged = new Map<SessionId, SessionRecord>();
  const ended = new Set<SessionId>();
  const run = async (): Promise<void> => {
    for (;;)
      try {
        const record = await create(storage);
        acknowledged.set(record.id, record);
        const { record: rotated } = await storage.rotate(attemptOf(record));
        acknowledged.set(record.id, rotated!);
        if (acknowledged.size % 3 !== 0) continue;
        await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        ended.add(record.id);
      } catch (error) {
        expect(error).toMatchObject({ code: "unavailable" });
        return;
      }
  };
  const runs = Promise.all(Array.from({ length: 16 }, run));
  await vi.waitFor(() => expect(ended.size).toBeGreaterThan(60), { timeout: 20_000 });
  return { acknowledged, ended, runs };
};

/** Registers what a store on a server has to do when the server fails. */
export const testServerFailures = ({ server, open, openThroughProxy, cutOff }: ServerFailures): void => {
  const openFor = async (timeout: number): Promise<Storage> => (await openTestStore(() => open(timeout))).storage;

  describe("a server that fails", () => {
    it("is unavailable while it is stopped, and used again when it is back", async () => {
      const storage = await openFor(15_000);
      const record = await create(storage);
      await server().shutDown();
      for (const call of someCalls(storage, record)) expect((await failureOf(call())).code).toBe("unavailable");
      expect((await failureOf(open(15_000))).message).toContain("cannot be reached");
      await server().start();
      await works(storage);
      expect(await storage.getSession(record.id)).toStrictEqual(record);
      expect(await storage.rotate(attemptOf(record))).toMatchObject({ minted: true });
    });

    it("costs a call no more than its time-out while it is frozen, and is used again when it thaws", async () => {
      const storage = await openFor(15_000);
      const record = await create(storage);
      const hasty = await openFor(1000);
      server().freeze();
      const started = performance.now();
      const codes = await Promise.all(someCalls(hasty, record).map(async (call) => (await failureOf(call())).code));
      expect(new Set(codes)).toStrictEqual(new Set(["unavailable"]));
      // Waiting for a connection and waiting for an answer take the time-out each at most.
      expect(performance.now() - started).toBeLessThan(5000);
      expect((await failureOf(hasty.rotate(attemptOf(record)))).code).toBe("unavailable");
      const closing = performance.now();
      await hasty.close();
      expect(performance.now() - closing).toBeLessThan(3000);
      server().thaw();
      await works(storage);
      expect((await storage.getSession(record.id))?.id).toBe(record.id);
    });

    it("loses nothing that was acknowledged when it is killed under load", async () => {
      const storage = await openFor(15_000);
      const { acknowledged, ended, runs } = await load(storage);
      await server().kill();
      await runs;
      await server().start();
      await works(storage);
      for (const record of acknowledged.values()) {
        const row = await storage.getSession(record.id);
        expect(row!.next).toBeGreaterThanOrEqual(record.next);
        if (ended.has(record.id)) expect(row!.endReason).toBe("logout");
      }
      const fed = await revokedIds(storage);
      expect([...ended].filter((id) => !fed.has(id))).toStrictEqual([]);
    });

    it("leaves a call that was cut off unknown, and its retry succeeds either way", async () => {
      const storage = await openFor(15_000);
      const { storage: through, cutNext } = await openThroughProxy();
      for (const cut of ["before the server has it", "before the client has the answer"] as const) {
        const isDone = cut === "before the client has the answer";
        const record = await create(storage);
        await works(through);
        cutNext(cut);
        expect(await failureOf(through.rotate(attemptOf(record)))).toMatchObject({
          code: "unavailable",
          message: expect.stringContaining(cutOff) as string,
        });
        // The server may still be at it when the client has been cut off.
        await vi.waitFor(async () => expect((await storage.getSession(record.id))?.next).toBe(isDone ? 1 : 0));
        await works(through);
        // Within the window of the mint that was done the engine answers with its token again.
        expect(await through.rotate(attemptOf(record))).toMatchObject({ minted: !isDone, record: { next: 1 } });

        const change = () =>
          through.changeSession(record.id, { facts: '{"a":1}', announced: true, expected: { factsVersion: 0 } });
        cutNext(cut);
        expect((await failureOf(change())).code).toBe("unavailable");
        await vi.waitFor(async () => expect((await storage.getSession(record.id))?.factsVersion).toBe(isDone ? 1 : 0));
        await works(through);
        expect(await change()).toMatchObject({ kind: isDone ? "conflict" : "changed", record: { factsVersion: 1 } });
        const changes = await storage.changesSince({ at: millis(0) });
        const lines = changes.kind === "page" ? changes.items.filter(({ id }) => id === record.id) : [];
        expect(lines).toMatchObject([{ payloadVersion: 1 }]);

        const logOut = () => through.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        cutNext(cut);
        expect((await failureOf(logOut())).code).toBe("unavailable");
        await works(through);
        expect(await logOut()).toHaveLength(isDone ? 0 : 1);
        const { items } = await storage.listEvents({ sessionId: record.id }, { limit: 5 });
        expect(items).toMatchObject([{ type: "session_ended", count: 1 }]);
      }
    });
  });
};
