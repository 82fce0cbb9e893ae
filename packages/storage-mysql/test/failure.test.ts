import {
  bucketOf,
  millis,
  type SessionId,
  type SessionRecord,
  type Storage,
  StorageError,
  type UserId,
} from "@pawl/storage";
import { revokedIds } from "@pawl/storage-conformance";
import { createConnection } from "mysql2/promise";
import { inspect } from "node:util";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { openStorage } from "../src/index.js";
import { cuttingProxy } from "./cutting-proxy.js";
import { openForTest, sharedServer } from "./server.js";
import { attemptOn, sessionAt } from "./session.js";

const { server, query } = sharedServer();

const password = "canary-%/@-of-the-account";

/** The URL of an account that has no right but on its own database. */
const url = (options = "?timeout=15000", port = server().port): string =>
  `mysql://pawl:${encodeURIComponent(password)}@127.0.0.1:${port}/sessions${options}`;

let storage: Storage;

beforeEach(async () => {
  await query("CREATE DATABASE IF NOT EXISTS sessions");
  await query("CREATE DATABASE IF NOT EXISTS empty");
  await query(`CREATE USER IF NOT EXISTS pawl@'%' IDENTIFIED BY '${password}'`);
  const rights = "CREATE, ALTER, INDEX, SELECT, INSERT, UPDATE, DELETE";
  for (const database of ["sessions", "empty"]) await query(`GRANT ${rights} ON ${database}.* TO pawl@'%'`);
  storage = await openForTest(url());
  await storage.migrate();
});

const create = async (on = storage, parts: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
  const record = sessionAt(on.now(), parts);
  await on.createSession(record);
  return record;
};

const failureOf = async (call: Promise<unknown>): Promise<StorageError> => {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StorageError);
  return error as StorageError;
};

const works = (on = storage): Promise<void> => vi.waitFor(() => on.ping(), { timeout: 20_000, interval: 50 });

/** Every way to the server, so that none is forgotten. */
const someCalls = (storage: Storage, record: SessionRecord): readonly (() => Promise<unknown>)[] => [
  () => storage.createSession(sessionAt(storage.now())),
  () => storage.createSession(sessionAt(storage.now()), { maxPerUser: 3 }),
  () => storage.getSession(record.id),
  () => storage.rotate(attemptOn(record)),
  () => storage.applyRotation(record, { kind: "end", scope: "session", reason: "token_reuse", events: [] }),
  () =>
    storage.reportUses([{ id: record.id, seq: 0, iat: storage.now() }], {
      window: millis(0),
      activityInterval: millis(60_000),
    }),
  () => storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
  () => storage.listSessions({}, { limit: 3 }),
  () => storage.updatePayload(record.id, "{}"),
  () => storage.deleteExpired(storage.now(), 3),
  () => storage.getSigningKeys(),
  () => storage.claimMeta("a"),
  () => storage.revocationsSince({ at: storage.now() }),
  () => storage.listEvents({}, { limit: 3 }),
  () => storage.eraseUser(record),
  () => storage.importSessions([record]),
  () => storage.ping(),
];

it("fails as unavailable while the server is stopped, and goes on when it is back", async () => {
  const record = await create();
  await server().shutDown();
  for (const call of someCalls(storage, record)) expect((await failureOf(call())).code).toBe("unavailable");
  const { message } = await failureOf(openStorage(url()));
  expect(message).toContain("cannot be reached");
  await server().start();
  await works();
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  expect(await storage.rotate(attemptOn(record))).toMatchObject({ minted: true });
});

it("fails within the time-out while the server is frozen, and goes on when it thaws", async () => {
  const record = await create();
  const hasty = await openForTest(url("?timeout=1000"));
  server().freeze();
  const started = performance.now();
  const codes = await Promise.all(someCalls(hasty, record).map(async (call) => (await failureOf(call())).code));
  expect(new Set(codes)).toStrictEqual(new Set(["unavailable"]));
  // Those that may take as long as they do wait for a connection and an answer, each for the time-out at most.
  expect(performance.now() - started).toBeLessThan(5000);
  expect((await failureOf(hasty.rotate(attemptOn(record)))).code).toBe("unavailable");
  server().thaw();
  await works(hasty);
  expect((await hasty.getSession(record.id))?.id).toBe(record.id);
});

it("loses nothing that was acknowledged when the server is killed under load", async () => {
  const acknowledged: SessionRecord[] = [];
  const ended: SessionId[] = [];
  const load = async (): Promise<void> => {
    for (;;)
      try {
        const record = await create();
        acknowledged.push(record);
        const { record: rotated } = await storage.rotate(attemptOn(record));
        acknowledged[acknowledged.indexOf(record)] = rotated!;
        if (acknowledged.length % 3 !== 0) continue;
        await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        ended.push(record.id);
      } catch (error) {
        expect(error).toMatchObject({ code: "unavailable" });
        return;
      }
  };
  const loads = Array.from({ length: 16 }, load);
  await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(200), { timeout: 20_000 });
  await server().kill();
  await Promise.all(loads);
  await server().start();
  await works();
  const dead = new Set(ended);
  for (const record of acknowledged) {
    const row = await storage.getSession(record.id);
    expect(row!.next).toBeGreaterThanOrEqual(record.next);
    if (dead.has(record.id)) expect(row!.endReason).toBe("logout");
  }
  const told = await revokedIds(storage);
  expect(ended.filter((id) => !told.has(id))).toStrictEqual([]);
});

it("replaces connections that the server has ended", async () => {
  const record = await create();
  const idle = "SELECT id FROM information_schema.processlist WHERE user = 'pawl'";
  for (const { id } of await query(idle)) await query(`KILL ${String(id)}`);
  await vi.waitFor(async () => expect(await query(idle)).toStrictEqual([]), { timeout: 10_000 });
  expect(await storage.getSession(record.id)).toStrictEqual(record);
});

it("says that it does not know when a commit is cut off; the retry succeeds either way", async () => {
  const proxy = await cuttingProxy(server().port);
  const through = await openForTest(url("?timeout=15000", proxy.port));
  for (const cut of ["before the server has it", "before the client has the answer"] as const) {
    const isDone = cut !== "before the server has it";
    const record = await create();
    proxy.cutNextCommit(cut);
    const failure = await failureOf(through.rotate(attemptOn(record)));
    expect(failure).toMatchObject({ code: "unavailable", message: expect.stringContaining("is not known") as string });
    // The server may still be at it when the client has been cut off.
    await vi.waitFor(async () => expect(await storage.getSession(record.id)).toMatchObject({ next: isDone ? 1 : 0 }));
    // Within the window of the mint that was done the engine answers with its token again.
    expect(await through.rotate(attemptOn(record))).toMatchObject({ minted: !isDone, record: { next: 1 } });

    const logOut = () => through.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
    proxy.cutNextCommit(cut);
    expect((await failureOf(logOut())).code).toBe("unavailable");
    expect(await logOut()).toHaveLength(isDone ? 0 : 1);
    const { items } = await storage.listEvents({ sessionId: record.id }, { limit: 5 });
    expect(items).toMatchObject([{ type: "session_ended", count: 1 }]);
  }
});

it("waits for a row that another transaction holds, but not for ever, and lets others through", async () => {
  const [held, free] = [await create(), await create()];
  const hasty = await openForTest(url("?timeout=1000"));
  const { host, port } = server();
  const other = await createConnection({ host, port, user: "root", database: "sessions" });
  onTestFinished(() => other.destroy());
  await other.query("START TRANSACTION");
  await other.query(`SELECT 1 FROM sessions WHERE bucket = ${bucketOf(held.id)} AND id = '${held.id}' FOR UPDATE`);
  expect((await failureOf(hasty.rotate(attemptOn(held)))).code).toBe("unavailable");
  expect((await failureOf(hasty.updatePayload(held.id, "{}"))).code).toBe("unavailable");
  // In one batch with the locked one, and in later ones.
  const waiting = storage.rotate(attemptOn(held));
  expect(await storage.rotate(attemptOn(free))).toMatchObject({ minted: true });
  const others = await Promise.all(Array.from({ length: 5 }, async () => storage.rotate(attemptOn(await create()))));
  expect(others.every(({ minted }) => minted)).toBe(true);
  await other.query("ROLLBACK");
  expect((await waiting).record?.next).toBe(1);
});

it("does not wait for a connection for ever", async () => {
  const small = await openForTest(url("?timeout=500&pool_size=2"));
  const held = await create();
  const { host, port } = server();
  const other = await createConnection({ host, port, user: "root", database: "sessions" });
  onTestFinished(() => other.destroy());
  await other.query("LOCK TABLES sessions WRITE");
  const codes = await Promise.all(
    Array.from({ length: 8 }, async () => (await failureOf(small.updatePayload(held.id, "{}"))).code),
  );
  expect(new Set(codes)).toStrictEqual(new Set(["unavailable"]));
  await other.query("UNLOCK TABLES");
  await works(small);
});

it("calls a read-only server read-only, reads on, and writes when it may again", async () => {
  const record = await create();
  await query("SET GLOBAL read_only = 1");
  onTestFinished(async () => void (await query("SET GLOBAL read_only = 0")));
  expect(await failureOf(storage.ping())).toMatchObject({
    code: "read_only",
    message: expect.stringContaining("replica") as string,
  });
  expect((await failureOf(storage.rotate(attemptOn(record)))).code).toBe("read_only");
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  await query("SET GLOBAL read_only = 0");
  expect(await storage.rotate(attemptOn(record))).toMatchObject({ minted: true });
});

it("refuses a server that acknowledges what is not on its disk, unless that is wanted", async () => {
  await query("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  onTestFinished(async () => void (await query("SET GLOBAL innodb_flush_log_at_trx_commit = 1")));
  const { message, code } = await failureOf(openStorage(url()));
  expect(code).toBe("unavailable");
  expect(message).toContain("innodb_flush_log_at_trx_commit = 1 (it is 2)");
  await (await openForTest(url("?durability=relaxed"))).ping();
});

it("says what to set for a value that is larger than the server takes", async () => {
  await query("SET GLOBAL max_allowed_packet = 1048576");
  onTestFinished(async () => void (await query("SET GLOBAL max_allowed_packet = 16777216")));
  const small = await openForTest(url());
  const payload = JSON.stringify({ blob: "x".repeat(1024 * 1024) });
  expect(await failureOf(create(small, { payload }))).toMatchObject({
    code: "invalid_record",
    message: expect.stringContaining("raise max_allowed_packet") as string,
  });
  const middle = JSON.stringify({ blob: "x".repeat(200_000) });
  const records = await Promise.all(Array.from({ length: 12 }, () => create(small, { payload: middle })));
  for (const { id } of records) expect((await small.getSession(id))?.payload).toBe(middle);
});

it("says what is wrong when it cannot open, without the password", async () => {
  const wrong = [
    [url().replace("pawl:", "nobody:"), "unavailable", "check user, password"],
    [url().replace("canary", "cannery"), "unavailable", "check user, password"],
    [url().replace("/sessions", "/nowhere"), "unavailable", "check user, password and the rights"],
    [`${server().url.replace("/pawl", "/nowhere")}`, "unavailable", "does not exist"],
    [url("", 1), "unavailable", "cannot be reached"],
  ] as const;
  for (const [at, code, message] of wrong) {
    const error = await failureOf(openStorage(at));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(inspect(error, { depth: 9 })).not.toMatch(/canary|cannery/u);
  }
});

it("says that there are no tables yet", async () => {
  const empty = await openForTest(url().replace("/sessions", "/empty"));
  expect(await failureOf(empty.getSession("a" as SessionId))).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("migrate()") as string,
  });
});

it("lets go of a migration that it may not make, for one that may", async () => {
  await query("CREATE DATABASE IF NOT EXISTS barred");
  await query("GRANT SELECT, INSERT, UPDATE, DELETE ON barred.* TO pawl@'%'");
  const barred = await openForTest(url().replace("/sessions", "/barred"));
  expect(await failureOf(barred.migrate())).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("rights") as string,
  });
  const root = await openForTest(server().url.replace("/pawl", "/barred"));
  await root.migrate();
  await barred.migrate();
  await create(barred);
});

it("shows no value in an error", async () => {
  await query("ALTER TABLE sessions.sessions CHANGE device gadget MEDIUMBLOB");
  const canary = "canary-in-a-payload";
  const error = await failureOf(create(storage, { userId: canary as UserId, payload: JSON.stringify({ canary }) }));
  expect(error.code).toBe("corrupt");
  const shown = inspect(error, { depth: 9, showHidden: true });
  expect(shown).not.toContain(canary);
  expect(shown).not.toContain(Buffer.from(canary).toString("hex"));
  await query("ALTER TABLE sessions.sessions CHANGE gadget device MEDIUMBLOB");
  const { id } = await create();
  const taken = await failureOf(create(storage, { id, userId: canary as UserId }));
  expect(taken).toMatchObject({ code: "invalid_record", message: expect.stringContaining("taken") as string });
  expect(inspect(taken, { depth: 9, showHidden: true })).not.toContain(id);
});
