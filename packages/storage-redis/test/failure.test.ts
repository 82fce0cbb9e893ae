import { millis, type SessionId, type SessionRecord, type Storage, StorageError } from "@pawl/storage";
import { revokedIds } from "@pawl/storage-conformance";
import { type CuttingProxy, startCuttingProxy, startRedis } from "@pawl/test-servers";
import { inspect } from "node:util";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { openStorage } from "../src/index.js";
import { openForTest, sharedServer } from "./server.js";
import { attemptOn, sessionAt } from "./session.js";

const { server, urlOf } = sharedServer({ "repl-diskless-sync-delay": "0" });

const password = "canary-%/@-of-the-account";
let prefix: string;
let storage: Storage;

/** A way to the store of this test. */
const url = (options = "", port = server().port): string =>
  `redis://pawl:${encodeURIComponent(password)}@127.0.0.1:${port}?prefix=${prefix}${options}`;

/** Makes the account, which a server forgets when it ends, with the rights that the adapter needs and no other. */
const makeAccount = (): void => {
  const { command } = server();
  const commands = ["+@read", "+@write", "+@scripting", "+@connection", "+@pubsub", "+time", "+info", "+config|get"];
  command("acl", "setuser", "pawl", "on", `>${password}`, "~*", "&*", "-@all", ...commands);
};

const startAgain = async (): Promise<void> => {
  await server().start();
  makeAccount();
};

beforeEach(async () => {
  prefix = crypto.randomUUID();
  makeAccount();
  server().command("config", "set", "maxmemory", "0");
  storage = await openForTest(url("&timeout=15000"));
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

const proxyToServer = async (): Promise<CuttingProxy> => {
  const proxy = await startCuttingProxy(server().port);
  onTestFinished(() => proxy.stop());
  return proxy;
};

/** Every kind of call, so that none is forgotten. */
const someCalls = (on: Storage, record: SessionRecord): readonly (() => Promise<unknown>)[] => [
  () => on.createSession(sessionAt(on.now())),
  () => on.createSession(sessionAt(on.now()), { maxPerUser: 3 }),
  () => on.getSession(record.id),
  () => on.rotate(attemptOn(record)),
  () => on.applyRotation(record, { kind: "end", scope: "session", reason: "token_reuse", events: [] }),
  () =>
    on.reportUses([{ id: record.id, seq: 0, iat: on.now() }], { window: millis(0), activityInterval: millis(60_000) }),
  () => on.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
  () => on.revokeSessions({ kind: "tenant", tenantId: record.tenantId }, { reason: "logout" }),
  () => on.listSessions({}, { limit: 3 }),
  () => on.updatePayload(record.id, "{}"),
  () => on.deleteExpired(on.now(), 3),
  () => on.getSigningKeys(),
  () => on.claimMeta("a"),
  () => on.revocationsSince({ at: on.now() }),
  () => on.listEvents({}, { limit: 3 }),
  () => on.eraseUser(record),
  () => on.importSessions([record]),
  () => on.ping(),
];

it("fails as unavailable while the server is stopped, and goes on when it is back", async () => {
  const record = await create();
  await server().shutDown();
  for (const call of someCalls(storage, record)) expect((await failureOf(call())).code).toBe("unavailable");
  expect((await failureOf(openStorage(url()))).message).toContain("cannot be reached");
  await startAgain();
  await works();
  // The scripts are known to a server only as long as it runs.
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  expect(await storage.rotate(attemptOn(record))).toMatchObject({ minted: true });
});

it("fails within the time-out while the server is frozen, and goes on when it thaws", async () => {
  const record = await create();
  const hasty = await openForTest(url("&timeout=500"));
  server().freeze();
  const started = performance.now();
  const codes = await Promise.all(someCalls(hasty, record).map(async (call) => (await failureOf(call())).code));
  expect(new Set(codes)).toStrictEqual(new Set(["unavailable"]));
  expect(performance.now() - started).toBeLessThan(3000);
  expect((await failureOf(hasty.rotate(attemptOn(record)))).code).toBe("unavailable");
  server().thaw();
  await works(hasty);
  expect((await hasty.getSession(record.id))?.id).toBe(record.id);
});

it("begins a new connection when the old one has gone without a word", async () => {
  const proxy = await proxyToServer();
  const through = await openForTest(url("&timeout=500", proxy.port));
  const record = await create();
  proxy.silence(true);
  expect((await failureOf(through.getSession(record.id))).code).toBe("unavailable");
  proxy.silence(false);
  await works(through);
  expect(await through.getSession(record.id)).toStrictEqual(record);
});

it("loses nothing that was acknowledged when the server is killed under load", async () => {
  const acknowledged = new Map<SessionId, SessionRecord>();
  const ended = new Set<SessionId>();
  const load = async (): Promise<void> => {
    for (;;)
      try {
        const record = await create();
        acknowledged.set(record.id, record);
        const { record: rotated } = await storage.rotate(attemptOn(record));
        acknowledged.set(record.id, rotated!);
        if (acknowledged.size % 3 !== 0) continue;
        await storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
        ended.add(record.id);
      } catch (error) {
        expect(error).toMatchObject({ code: "unavailable" });
        return;
      }
  };
  const loads = Array.from({ length: 16 }, load);
  await vi.waitFor(() => expect(ended.size).toBeGreaterThan(60), { timeout: 20_000 });
  await server().kill();
  await Promise.all(loads);
  await startAgain();
  await works();
  for (const record of acknowledged.values()) {
    const row = await storage.getSession(record.id);
    expect(row!.next).toBeGreaterThanOrEqual(record.next);
    if (ended.has(record.id)) expect(row!.endReason).toBe("logout");
  }
  const told = await revokedIds(storage);
  expect([...ended].filter((id) => !told.has(id))).toStrictEqual([]);
});

it("says that it does not know when a script is cut off; the retry succeeds either way", async () => {
  const proxy = await proxyToServer();
  const through = await openForTest(url("&timeout=15000", proxy.port));
  for (const cut of ["before the server has it", "before the client has the answer"] as const) {
    const isDone = cut !== "before the server has it";
    const record = await create();
    await works(through);
    proxy.cutNext(cut, "EVALSHA");
    const failure = await failureOf(through.rotate(attemptOn(record)));
    expect(failure).toMatchObject({ code: "unavailable", message: expect.stringContaining("is not known") as string });
    expect(await storage.getSession(record.id)).toMatchObject({ next: isDone ? 1 : 0 });
    await works(through);
    // Within the window of the mint that was done the engine answers with its token again.
    expect(await through.rotate(attemptOn(record))).toMatchObject({ minted: !isDone, record: { next: 1 } });

    const logOut = () => through.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" });
    proxy.cutNext(cut, "EVALSHA");
    expect((await failureOf(logOut())).code).toBe("unavailable");
    await works(through);
    expect(await logOut()).toHaveLength(isDone ? 0 : 1);
    const { items } = await storage.listEvents({ sessionId: record.id }, { limit: 5 });
    expect(items).toMatchObject([{ type: "session_ended", count: 1 }]);
  }
});

it("writes nothing, whole or in part, while the server has no memory left", async () => {
  const record = await create();
  const before = server().command("dbsize");
  server().command("config", "set", "maxmemory", "1");
  const writes: readonly (() => Promise<unknown>)[] = [
    () => storage.createSession(sessionAt(storage.now()), { maxPerUser: 1 }),
    () => storage.rotate(attemptOn(record)),
    () => storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
    () => storage.updatePayload(record.id, '{"more":true}'),
    () => storage.ping(),
  ];
  for (const write of writes)
    expect(await failureOf(write())).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("no memory left") as string,
    });
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  expect(server().command("dbsize")).toBe(before);
  server().command("config", "set", "maxmemory", "0");
  await works();
  expect(await storage.rotate(attemptOn(record))).toMatchObject({ minted: true });
});

it("refuses a server that would forget or lose sessions, and says what to set", async () => {
  const { command } = server();
  const refusal = async (options = ""): Promise<string> => (await failureOf(openStorage(url(options)))).message;
  command("config", "set", "maxmemory-policy", "allkeys-lru");
  expect(await refusal()).toContain("set maxmemory-policy noeviction");
  command("config", "set", "maxmemory-policy", "noeviction");
  command("config", "set", "appendfsync", "no");
  expect(await refusal()).toContain("set appendfsync everysec");
  command("config", "set", "appendfsync", "everysec");
  expect(await refusal("&durability=always")).toContain("set appendfsync always");
  await openForTest(url());
  command("config", "set", "appendfsync", "always");
  await openForTest(url("&durability=always"));
  command("config", "set", "appendonly", "no");
  expect(await refusal()).toContain("set appendonly yes");
  await openForTest(url("&durability=none"));
  command("config", "set", "appendonly", "yes");
});

it("waits for replicas where it is told to, and says so when they do not acknowledge", async () => {
  const replica = await startRedis();
  onTestFinished(() => replica.stop());
  replica.command("replicaof", "127.0.0.1", String(server().port));
  const careful = await openForTest(url("&wait=1&timeout=1000"));
  await vi.waitFor(() => expect(replica.command("info", "replication")).toContain("master_link_status:up"), {
    timeout: 20_000,
  });
  const record = await create(careful);
  expect(replica.command("exists", `${prefix}:{${record.id.slice(2, 4)}}:s:${record.id}`)).toBe("1");
  const rotated = await Promise.all(Array.from({ length: 20 }, () => careful.rotate(attemptOn(record))));
  expect(rotated.filter(({ minted }) => minted)).toHaveLength(1);
  replica.freeze();
  expect(await careful.getSession(record.id)).toMatchObject({ next: 1 });
  expect(await failureOf(careful.updatePayload(record.id, '{"a":1}'))).toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/replicas acknowledged|did not answer in time/u) as string,
  });
  replica.thaw();
  await works(careful);
  replica.command("config", "set", "maxmemory-policy", "noeviction");
  const onReplica = await openForTest(`${replica.url}?prefix=${prefix}`);
  expect(await failureOf(onReplica.updatePayload(record.id, "{}"))).toMatchObject({ code: "read_only" });
});

it("does not take a key of something else for its own", async () => {
  const record = await create();
  const tag = `${prefix}:{${record.id.slice(2, 4)}}:`;
  server().command("del", `${tag}ids`);
  server().command("set", `${tag}ids`, "of something else");
  expect((await failureOf(storage.listSessions({}, { limit: 1 }))).code).toBe("corrupt");
});

it("tells no password and no value in what it throws", async () => {
  const canary = "canary-of-the-value";
  const record = await create(storage, { payload: canary, device: canary });
  const wrong = new URL(url());
  wrong.password = "canary-that-is-wrong";
  const failures = [
    await failureOf(openStorage(wrong.href)),
    await failureOf(openStorage(`${url()}&unknown=${canary}`)),
    await failureOf(storage.createSession({ ...record, payload: canary })),
  ];
  server().command("config", "set", "maxmemory", "1");
  failures.push(await failureOf(storage.updatePayload(record.id, canary)));
  server().command("config", "set", "maxmemory", "0");
  server().command("acl", "setuser", "pawl", "-hset");
  failures.push(await failureOf(storage.updatePayload(record.id, canary)));
  await server().shutDown();
  failures.push(await failureOf(storage.updatePayload(record.id, canary)));
  await startAgain();
  for (const failure of failures) expect(inspect(failure, { depth: 9 })).not.toContain("canary");
  expect(failures[0]!.message).toContain("refused the account");
});

it("opens the server of a URL without account, too", async () => {
  const open = await openForTest(urlOf(prefix));
  await open.migrate();
  await open.ping();
  expect(open.now()).toBeGreaterThan(Date.now() - 5000);
});
