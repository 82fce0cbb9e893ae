import type { SessionRecord, Storage } from "@pawl/storage";
import { attemptOf, failureOf, sessionRecord, testServerFailures, works } from "@pawl/storage-conformance";
import { type CuttingProxy, startCuttingProxy, startRedis } from "@pawl/test-servers";
import { inspect } from "node:util";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { openStorage } from "../src/index.js";
import { openForTest, sharedServer } from "./server.js";

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
  const record = sessionRecord(on, parts);
  await on.createSession(record);
  return record;
};

const proxyToServer = async (): Promise<CuttingProxy> => {
  const proxy = await startCuttingProxy(server().port);
  onTestFinished(() => proxy.stop());
  return proxy;
};

testServerFailures({
  server: () => ({ ...server(), start: startAgain }),
  open: (timeout) => openStorage(url(`&timeout=${timeout}`)),
  openThroughProxy: async () => {
    const proxy = await proxyToServer();
    const through = await openForTest(url("&timeout=15000", proxy.port));
    return { storage: through, cutNext: (cut) => proxy.cutNext(cut, "EVALSHA") };
  },
  cutOff: "is not known",
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

it("writes nothing, whole or in part, while the server has no memory left", async () => {
  const record = await create();
  const before = server().command("dbsize");
  server().command("config", "set", "maxmemory", "1");
  const writes: readonly (() => Promise<unknown>)[] = [
    () => storage.createSession(sessionRecord(storage), { maxPerUser: 1 }),
    () => storage.rotate(attemptOf(record)),
    () => storage.revokeSessions({ kind: "ids", ids: [record.id] }, { reason: "logout" }),
    () => storage.changeSession(record.id, { payload: '{"more":true}' }),
    () => storage.ping(),
  ];
  for (const write of writes)
    expect(await failureOf(write())).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("no memory left") as string,
    });
  expect(await storage.getSession(record.id)).toStrictEqual(record);
  // A key of an earlier test may expire meanwhile.
  expect(Number(server().command("dbsize"))).toBeLessThanOrEqual(Number(before));
  server().command("config", "set", "maxmemory", "0");
  await works(storage);
  expect(await storage.rotate(attemptOf(record))).toMatchObject({ minted: true });
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
  const rotated = await Promise.all(Array.from({ length: 20 }, () => careful.rotate(attemptOf(record))));
  expect(rotated.filter(({ minted }) => minted)).toHaveLength(1);
  replica.freeze();
  expect(await careful.getSession(record.id)).toMatchObject({ next: 1 });
  expect(await failureOf(careful.changeSession(record.id, { payload: '{"a":1}' }))).toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/replicas acknowledged|did not answer in time/u) as string,
  });
  replica.thaw();
  await works(careful);
  replica.command("config", "set", "maxmemory-policy", "noeviction");
  const onReplica = await openForTest(`${replica.url}?prefix=${prefix}`);
  expect(await failureOf(onReplica.changeSession(record.id, { payload: "{}" }))).toMatchObject({ code: "read_only" });
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
  failures.push(await failureOf(storage.changeSession(record.id, { payload: canary })));
  server().command("config", "set", "maxmemory", "0");
  server().command("acl", "setuser", "pawl", "-hset");
  failures.push(await failureOf(storage.changeSession(record.id, { payload: canary })));
  await server().shutDown();
  failures.push(await failureOf(storage.changeSession(record.id, { payload: canary })));
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
