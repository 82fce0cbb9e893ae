import { appendFile, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { millis, StorageError, type TenantId, type UserId } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Policy } from "../../src/index.js";
import { loggedStorage, type OpenedEngine, openEngine, openRevocationLog } from "../../src/host/index.js";
import { claimsOf, DAY, HOUR, MINUTE, refresh, refreshed, StandingClock, USER } from "../engines.js";
import { intercepted } from "../intercepted-storage.js";

let folder: string;
let opened: OpenedEngine[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-log-"));
  opened = [];
});
afterEach(async () => {
  for (const engine of opened) await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const url = (): string => `sqlite:${join(folder, "sessions.db")}`;
const path = (): string => join(folder, "logs", "revocations.log");
const clock = new StandingClock();

const open = async (policy: Partial<Policy> = {}, revocationLog = path()) => {
  const engine = await openEngine({ storage: url(), clock, policy, revocationLog });
  opened.push(engine);
  return engine;
};
const linesOf = async (file = path()): Promise<readonly string[]> => (await readFile(file, "utf8")).split("\n");
const reasonsIn = async (): Promise<readonly string[]> =>
  (await linesOf()).filter((line) => line !== "").map((line) => (JSON.parse(line) as { reason: string }).reason);
const login = async (engine: OpenedEngine["engine"], user = USER) => engine.createSession({ userId: user });

it("holds each end that was acknowledged, with its reason, and no expiry", async () => {
  const { engine, storage } = await open({ maxSessionsPerUser: 2, enableAntiCsrf: false });
  const later = async () => {
    clock.advance(1000);
    return login(engine);
  };
  const [first, second, third] = [await later(), await later(), await later()];
  expect(await reasonsIn()).toEqual(["session_limit"]);
  await engine.revokeSessions([second.session.handle], { reason: "logout" });
  expect(await reasonsIn()).toEqual(["session_limit", "logout"]);
  let turned = third;
  for (let turn = 0; turn < 3; turn += 1) {
    clock.advance(HOUR);
    turned = refreshed(await refresh(engine, turned));
  }
  expect(await refresh(engine, third)).toMatchObject({ kind: "token_reuse" });
  const tenantId = "customer-1" as TenantId;
  const elsewhere = await engine.createSession({ userId: USER, tenantId });
  await engine.revokeTenant(tenantId);
  await login(engine, "erin" as UserId);
  await storage.eraseUser({ tenantId: first.session.tenantId, userId: "erin" as UserId });
  await login(engine);
  clock.advance(101 * DAY);
  await engine.sweep();
  expect(await reasonsIn()).toEqual(["session_limit", "logout", "token_reuse", "revoked", "erased"]);

  const [line = ""] = (await linesOf()).slice(3);
  expect(JSON.parse(line)).toEqual({
    handle: elsewhere.session.handle,
    at: expect.any(Number) as number,
    reason: "revoked",
  });
  expect(elsewhere.session.handle).toMatch(/_customer-1$/);
  const all = (await linesOf()).join();
  for (const secret of [USER, "erin", third.refreshToken.token.slice(20, 60)]) expect(all).not.toContain(secret);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
});

it("writes many at once whole, each before its answer", async () => {
  const { engine } = await open();
  const sessions = await Promise.all(Array.from({ length: 300 }, () => login(engine)));
  await Promise.all(
    sessions.map(async ({ session }) => {
      await engine.revokeSessions([session.handle]);
      expect(await readFile(path(), "utf8")).toContain(session.handle);
    }),
  );
  expect(await reasonsIn()).toHaveLength(300);
});

it("goes on after a line that was cut off", async () => {
  const first = await open();
  const sessions = [await login(first.engine), await login(first.engine)];
  await first.engine.revokeSessions([sessions[0]!.session.handle]);
  await first.close();
  await appendFile(path(), '{"handle":"0f3e');
  const second = await open();
  await second.engine.revokeSessions([sessions[1]!.session.handle]);
  const lines = await linesOf();
  expect(lines).toHaveLength(4);
  expect(lines[1]).toBe('{"handle":"0f3e');
  expect(JSON.parse(lines[2]!)).toMatchObject({ handle: sessions[1]!.session.handle });
});

it("begins a new file when it was renamed or removed", async () => {
  const { engine } = await open();
  const revokeOne = async (): Promise<string> => {
    const { session } = await login(engine);
    await engine.revokeSessions([session.handle]);
    return session.handle;
  };
  const before = await revokeOne();
  await rename(path(), `${path()}.1`);
  const after = await revokeOne();
  expect((await linesOf(`${path()}.1`)).join()).toContain(before);
  expect((await linesOf()).join()).toContain(after);
  expect((await linesOf()).join()).not.toContain(before);
  await rm(path());
  const last = await revokeOne();
  expect((await linesOf()).join()).toContain(last);
});

it("a full disk is told, nothing is acknowledged, and the next try writes what is missing", async () => {
  const log = join(folder, "full.log");
  await symlink("/dev/full", log);
  const { engine } = await open({}, log);
  const [one, two] = [await login(engine), await login(engine)];
  const handle = one.session.handle;
  for (let attempt = 0; attempt < 2; attempt += 1)
    await expect(engine.revokeSessions([handle])).rejects.toMatchObject({
      code: "unavailable",
      message: `the revocation log ${log} cannot be written (ENOSPC)`,
    });
  await claimsOf(engine, two);
  await rm(log);
  expect(await engine.revokeSessions([handle])).toEqual([]);
  expect((await linesOf(log)).filter((line) => line.includes(handle))).toHaveLength(1);
  expect(await refresh(engine, one)).toMatchObject({ kind: "unauthorised" });
});

it("the end of a tenant is in the log before it is acknowledged, also where an attempt before has ended every session", async () => {
  const log = join(folder, "full.log");
  await symlink("/dev/full", log);
  const { engine } = await open({}, log);
  const session = await login(engine);
  const revoke = () => engine.revokeTenant(session.session.tenantId);
  await expect(revoke()).rejects.toMatchObject({ code: "unavailable" });
  await rm(log);
  expect(await revoke()).toEqual([]);
  expect((await linesOf(log)).filter((line) => line.includes(session.session.handle))).toHaveLength(1);
});

it("is completed at the start with what a killed process could not write, once", async () => {
  const first = await open();
  const [logged, lost] = [await login(first.engine), await login(first.engine)];
  await first.engine.revokeSessions([logged.session.handle]);
  await first.close();
  const bare = await openStorage(url(), { clock });
  clock.advance(MINUTE / 2);
  const { id } = (await bare.listSessions({}, { limit: 1 })).items[0]!;
  await bare.revokeSessions({ kind: "ids", ids: [id] }, { reason: "logout" });
  await bare.close();
  for (let start = 0; start < 2; start += 1) {
    const again = await open();
    expect(
      (await linesOf()).filter((line) => line !== "").map((line) => (JSON.parse(line) as { handle: string }).handle),
    ).toEqual([logged.session.handle, lost.session.handle]);
    await again.close();
  }
});

it("an end of which the store's answer was lost is in the log before it is acknowledged", async () => {
  const real = await openStorage(url(), { clock });
  let isLost = true;
  const storage = intercepted(real, async ({ method, proceed }) => {
    const answer = await proceed();
    if (method === "revokeSessions" && isLost) throw new StorageError("unavailable", "the answer was lost");
    return answer;
  });
  const masterKey = Buffer.alloc(32, 7).toString("base64");
  const { engine, close } = await openEngine({ storage, masterKey, revocationLog: path() });
  const [one, two, three] = [await login(engine), await login(engine), await login(engine)];
  await expect(engine.revokeSessions([one.session.handle])).rejects.toMatchObject({ code: "unavailable" });
  await expect(engine.revokeSessions([two.session.handle])).rejects.toMatchObject({ code: "unavailable" });
  isLost = false;
  expect(await engine.revokeSessions([one.session.handle])).toEqual([]);
  expect((await linesOf()).join()).toContain(one.session.handle);
  // Long after the failure, and once: whoever ends something else, or follows the feed, writes what was not asked for again.
  clock.advance(HOUR);
  await engine.revokeSessions([three.session.handle]);
  for (const { session } of [one, two, three])
    expect((await linesOf()).filter((line) => line.includes(session.handle))).toHaveLength(1);
  await close();
  await real.close();
});

it("stops the start when it cannot be written", async () => {
  await expect(open({}, join("/dev/null", "log"))).rejects.toMatchObject({ code: "unavailable" });
  await expect(open({}, folder)).rejects.toMatchObject({ message: expect.stringContaining("EISDIR") });
});

it("hands everything else on, with the storage it belongs to", async () => {
  const storage = await openStorage(url(), { clock });
  const log = await openRevocationLog(path());
  const logged = loggedStorage(storage, log);
  await logged.migrate();
  expect(logged.now()).toBe(millis(clock.now()));
  expect(await logged.claimMeta("name", "value")).toBe("value");
  await log.close();
  await logged.close();
  await expect(storage.ping()).rejects.toMatchObject({ code: "closed" });
});
