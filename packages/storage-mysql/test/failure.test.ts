import { bucketOf, type SessionId, type SessionRecord, type Storage, type UserId } from "@pawl/storage";
import { attemptOf, failureOf, sessionRecord, testServerFailures, works } from "@pawl/storage-conformance";
import { startCuttingProxy } from "@pawl/test-servers";
import { createConnection } from "mysql2/promise";
import { inspect } from "node:util";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { openStorage } from "../src/index.js";
import { openForTest, sharedServer } from "./server.js";

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
  const record = sessionRecord(on, parts);
  await on.createSession(record);
  return record;
};

testServerFailures({
  server,
  open: (timeout) => openStorage(url(`?timeout=${timeout}`)),
  openThroughProxy: async () => {
    const proxy = await startCuttingProxy(server().port);
    onTestFinished(() => proxy.stop());
    const through = await openForTest(url("?timeout=15000", proxy.port));
    return { storage: through, cutNext: (cut) => proxy.cutNext(cut, "COMMIT") };
  },
  cutOff: "is not known",
});

it("replaces connections that the server has ended", async () => {
  const record = await create();
  const idle = "SELECT id FROM information_schema.processlist WHERE user = 'pawl'";
  for (const { id } of await query(idle)) await query(`KILL ${String(id)}`);
  await vi.waitFor(async () => expect(await query(idle)).toStrictEqual([]), { timeout: 10_000 });
  expect(await storage.getSession(record.id)).toStrictEqual(record);
});

it("waits for a row that another transaction holds, but not for ever, and lets others through", async () => {
  const [held, free] = [await create(), await create()];
  const hasty = await openForTest(url("?timeout=1000"));
  const { host, port } = server();
  const other = await createConnection({ host, port, user: "root", database: "sessions" });
  onTestFinished(() => other.destroy());
  await other.query("START TRANSACTION");
  await other.query(`SELECT 1 FROM sessions WHERE bucket = ${bucketOf(held.id)} AND id = '${held.id}' FOR UPDATE`);
  expect((await failureOf(hasty.rotate(attemptOf(held)))).code).toBe("unavailable");
  expect((await failureOf(hasty.changeSession(held.id, { payload: "{}" }))).code).toBe("unavailable");
  // In one batch with the locked one, and in later ones.
  const waiting = storage.rotate(attemptOf(held));
  expect(await storage.rotate(attemptOf(free))).toMatchObject({ minted: true });
  const others = await Promise.all(Array.from({ length: 5 }, async () => storage.rotate(attemptOf(await create()))));
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
    Array.from({ length: 8 }, async () => (await failureOf(small.changeSession(held.id, { payload: "{}" }))).code),
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
  expect((await failureOf(storage.rotate(attemptOf(record)))).code).toBe("read_only");
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  await query("SET GLOBAL read_only = 0");
  expect(await storage.rotate(attemptOf(record))).toMatchObject({ minted: true });
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
