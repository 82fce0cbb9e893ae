import { bucketOf, millis, type SessionRecord, type Storage, type UserId } from "@pawl/storage";
import { attemptOf, failureOf, sessionRecord, testServerFailures, works } from "@pawl/storage-conformance";
import { type CuttingProxy, type PostgresServer, startCuttingProxy } from "@pawl/test-servers";
import { readFileSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import { expect, it, onTestFinished, vi } from "vitest";
import { openStorage } from "../src/index.js";
import { schemaVersion } from "../src/migrations.js";
import { connectTo, openForTest, startServer } from "./server.js";

/** Whose power is cut, so that it has to write as in earnest. */
const server = await startServer({ shared_buffers: "64MB" });

const canary = "canary-%/@-of-the-account";

const urlThrough = ({ port }: CuttingProxy): string => server.url.replace(`:${server.port}`, `:${port}`);

const openMigrated = async (options = ""): Promise<Storage> => {
  const storage = await openForTest(`${server.url}${options}`);
  await storage.migrate();
  return storage;
};

const create = async (storage: Storage, parts: Partial<SessionRecord> = {}): Promise<SessionRecord> => {
  const record = sessionRecord(storage, parts);
  await storage.createSession(record);
  return record;
};

/** The processes of its connections, which freeze and thaw with the server. */
let backends: readonly number[] = [];

testServerFailures({
  server: () => ({
    ...server,
    freeze: () => {
      const pids = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'pawl'");
      backends = pids.split("\n").map(Number);
      server.freeze();
      for (const pid of backends) process.kill(pid, "SIGSTOP");
    },
    thaw: () => {
      for (const pid of backends) process.kill(pid, "SIGCONT");
      server.thaw();
    },
  }),
  open: (timeout) => openStorage(`${server.url}?timeout=${timeout}`),
  openThroughProxy: async () => {
    const proxy = await startCuttingProxy(server.port);
    onTestFinished(() => proxy.stop());
    return { storage: await openForTest(urlThrough(proxy)), cutNext: (cut) => proxy.cutNext(cut) };
  },
  cutOff: "connection to it was lost",
});

it("does not know a cursor from before the server was started: what it had read may have been lost", async () => {
  const storage = await openMigrated();
  const before = await storage.revocationsSince({ at: millis(0) });
  await server.shutDown();
  await server.start();
  await works(storage);
  const cursor = before.kind === "page" ? before.cursor : "";
  expect(await storage.revocationsSince({ cursor })).toStrictEqual({ kind: "unknown_cursor" });
});

it("replaces connections that the server has ended", async () => {
  const storage = await openMigrated();
  const record = await create(storage);
  const own = "FROM pg_stat_activity WHERE application_name = 'pawl'";
  server.sql(`SELECT pg_terminate_backend(pid) ${own}`);
  await vi.waitFor(async () => expect(await storage.getSession(record.id)).toStrictEqual(record));
});

it("does not know whether a transaction was done whose commit was cut off; the retry succeeds either way", async () => {
  const storage = await openMigrated();
  const proxy = await startCuttingProxy(server.port);
  onTestFinished(() => proxy.stop());
  const through = await openForTest(urlThrough(proxy));
  for (const cut of ["before the server has it", "before the client has the answer"] as const) {
    const isDone = cut !== "before the server has it";
    const limited = sessionRecord(through, { userId: `user ${cut}` as UserId });
    proxy.cutNext(cut, "COMMIT\0");
    expect((await failureOf(through.createSession(limited, { maxPerUser: 1 }))).code).toBe("unavailable");
    await vi.waitFor(async () =>
      expect((await storage.getSession(limited.id))?.id).toBe(isDone ? limited.id : undefined),
    );
    const again = sessionRecord(through, { userId: limited.userId });
    expect(await through.createSession(again, { maxPerUser: 1 })).toHaveLength(isDone ? 1 : 0);
  }
});

/** Keeps a row locked, until it is let go. */
const lockRow = async (at: PostgresServer, { id }: SessionRecord): Promise<() => Promise<unknown>> => {
  const other = await connectTo(at);
  await other.query("BEGIN");
  await other.query("SELECT FROM pawl.sessions WHERE bucket = $1 AND id = $2 FOR UPDATE", [bucketOf(id), id]);
  return () => other.query("ROLLBACK");
};

const blocked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pawl' AND wait_event_type = 'Lock'";

it("lets a row that somebody keeps locked hold up nobody else, and leaves nothing waiting on the server", async () => {
  const storage = await openMigrated();
  const [held, free] = [await create(storage), await create(storage)];
  const unlock = await lockRow(server, held);
  const locked = { code: "unavailable", message: expect.stringContaining("locked by another client") as string };
  // In one batch with the locked one.
  const [kept, passed] = await Promise.allSettled([storage.rotate(attemptOf(held)), storage.rotate(attemptOf(free))]);
  expect(passed).toMatchObject({ status: "fulfilled", value: { minted: true } });
  expect(kept).toMatchObject({ status: "rejected", reason: locked });
  expect(await failureOf(storage.changeSession(held.id, { payload: "{}" }))).toMatchObject(locked);
  expect(server.sql(blocked)).toBe("0");
  await unlock();
  expect(await storage.rotate(attemptOf(held))).toMatchObject({ minted: true });
});

it("asks the server to stop what nobody waits for any more, also behind a pooler", async () => {
  const storage = await openMigrated();
  // Of a user of its own: a login ends so many at most, and the one that is held would have to be among them.
  const user = { userId: "held up" as UserId };
  const held = await create(storage, user);
  const unlock = await lockRow(server, held);
  const hasty = await openForTest(`${server.url}?prepare=false&timeout=500`);
  expect((await failureOf(hasty.changeSession(held.id, { payload: '{"late":1}' }))).code).toBe("unavailable");
  await vi.waitFor(() => expect(server.sql(blocked)).toBe("0"), { timeout: 10_000 });
  await unlock();
  expect((await storage.getSession(held.id))?.payload).toBe(held.payload);
  // A transaction whose time is over is undone, and its lock of the user with it.
  const again = await lockRow(server, held);
  const limited = sessionRecord(hasty, user);
  expect((await failureOf(hasty.createSession(limited, { maxPerUser: 1 }))).code).toBe("unavailable");
  await again();
  await vi.waitFor(() => expect(server.sql(blocked)).toBe("0"), { timeout: 10_000 });
  expect(await storage.createSession(limited, { maxPerUser: 1 })).not.toHaveLength(0);
});

it("does not wait for a connection for ever", async () => {
  const storage = await openMigrated();
  const held = await create(storage);
  const unlock = await lockRow(server, held);
  const small = await openForTest(`${server.url}?timeout=500&pool=2`);
  const codes = await Promise.all(
    Array.from({ length: 8 }, async () => (await failureOf(small.changeSession(held.id, { payload: "{}" }))).code),
  );
  expect(new Set(codes)).toStrictEqual(new Set(["unavailable"]));
  await unlock();
  await works(small);
});

it("calls a server that cannot be written read-only, and writes when it may again", async () => {
  const storage = await openMigrated();
  const record = await create(storage);
  const set = (value: string): void => {
    server.sql(`ALTER ROLE pawl SET default_transaction_read_only = ${value}`);
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pawl'");
  };
  set("on");
  const reset = "BEGIN READ WRITE; ALTER ROLE pawl RESET default_transaction_read_only; COMMIT";
  onTestFinished(() => void server.sql(reset));
  await vi.waitFor(async () => expect((await failureOf(storage.ping())).code).toBe("read_only"));
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  server.sql(reset);
  await works(storage);
});

it("refuses a standby, until it takes over", async () => {
  const storage = await openMigrated();
  const record = await create(storage);
  const standby = await server.startStandby();
  onTestFinished(() => standby.stop());
  expect(await failureOf(openStorage(standby.url))).toMatchObject({
    code: "read_only",
    message: expect.stringContaining("standby") as string,
  });
  const arrived = `SELECT count(*) FROM pawl.sessions WHERE id = '${record.id}'`;
  await vi.waitFor(() => expect(standby.sql(arrived)).toBe("1"), { timeout: 10_000 });
  await standby.promote();
  const moved = await openForTest(standby.url);
  expect(await moved.getSession(record.id)).toStrictEqual(record);
  expect(await moved.rotate(attemptOf(record))).toMatchObject({ minted: true });
});

it("refuses a server that would lose what was answered", async () => {
  server.sql("CREATE ROLE hasty LOGIN SUPERUSER");
  server.sql("ALTER ROLE hasty SET synchronous_commit = off");
  expect(await failureOf(openStorage(server.url.replace("pawl@", "hasty@")))).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("synchronous_commit") as string,
  });
});

it("says what is wrong when it cannot open, without the password", async () => {
  server.sql(`CREATE ROLE owner LOGIN PASSWORD '${canary}'`);
  server.sql("CREATE DATABASE latin ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  const rules = server.sql("SHOW hba_file");
  writeFileSync(rules, `host all owner all scram-sha-256\n${readFileSync(rules, "utf8")}`);
  server.sql("SELECT pg_reload_conf()");
  const url = `postgres://owner:${encodeURIComponent(canary)}@127.0.0.1:${server.port}/postgres?schema=of_owner`;
  await vi.waitFor(async () => (await openStorage(url)).close());
  const wrong = [
    [url.replace("canary", "canary-wrong"), "unavailable", "refuses this user or password"],
    [url.replace("/postgres?", "/nowhere?"), "unavailable", "no database of that name"],
    [url.replace("/postgres?", "/latin?"), "unavailable", "encoding UTF8"],
    [url.replace(`:${server.port}`, ":1"), "unavailable", "cannot be reached"],
  ] as const;
  for (const [at, code, message] of wrong) {
    const error = await failureOf(openStorage(at));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(inspect(error, { depth: 9 })).not.toContain("canary");
  }
  const storage = await openForTest(url);
  expect(await failureOf(storage.migrate())).toMatchObject({
    code: "read_only",
    message: expect.stringContaining("grant it") as string,
  });
});

it("says that there are no tables yet, until they are made", async () => {
  const storage = await openForTest(`${server.url}?schema=empty`);
  const record = sessionRecord(storage);
  for (const call of [() => storage.createSession(record), () => storage.getSession(record.id), () => storage.ping()])
    expect(await failureOf(call())).toMatchObject({
      code: "unavailable",
      message: "the database has no tables yet: migrate() makes them",
    });
  await storage.migrate();
  expect(await storage.createSession(record)).toStrictEqual([]);
});

it("uses a schema of a newer release that says that this one can, and refuses any other", async () => {
  const storage = await openMigrated("?schema=newer");
  const add = (version: number, readableBy: number): string =>
    server.sql(`INSERT INTO newer.schema_versions VALUES (${version}, ${readableBy}, 0)`);
  add(schemaVersion + 1, schemaVersion);
  const second = await openMigrated("?schema=newer");
  await create(second);
  add(schemaVersion + 2, schemaVersion + 1);
  const tooNew = { code: "newer_schema", message: expect.stringContaining(`knows version ${schemaVersion}`) as string };
  expect(await failureOf(openStorage(`${server.url}?schema=newer`))).toMatchObject(tooNew);
  expect(await failureOf(storage.migrate())).toMatchObject(tooNew);
});

it("lets one that cannot be stored fail alone, and shows no value in an error", async () => {
  const storage = await openMigrated();
  const text = "canary-in-a-payload";
  const noise = Array.from({ length: 9000 }, (_, index) => (index * 7919 + 13).toString(36)).join("");
  const rejected = [
    sessionRecord(storage, { createdAt: 0.5 as never, payload: text }),
    sessionRecord(storage, { expiresAt: Number.NaN as never }),
    sessionRecord(storage, { current: text as never }),
    sessionRecord(storage, { id: noise as never }),
  ];
  const good = sessionRecord(storage, { userId: noise as UserId });
  const outcomes = await Promise.allSettled([...rejected, good].map((record) => storage.createSession(record)));
  expect(outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : undefined))).toMatchObject([
    { code: "invalid_record" },
    { code: "invalid_record" },
    { code: "invalid_record" },
    { code: "invalid_record", message: "a value is too large to be stored" },
    undefined,
  ]);
  expect(await storage.getSession(good.id)).toStrictEqual(good);
  for (const outcome of outcomes)
    if (outcome.status === "rejected")
      expect(inspect(outcome.reason, { depth: 9, showHidden: true })).not.toContain(text);
  const taken = await failureOf(storage.createSession(good));
  expect(inspect(taken, { depth: 9, showHidden: true })).not.toContain(good.id);
});
