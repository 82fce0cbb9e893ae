import { millis, NEVER, PUBLIC_TENANT, type SessionId, type SessionRecord, type UserId } from "@pawl/storage";
import { attemptOf, TestClock } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { openForTest, sharedServer } from "./server.js";

const { server, urlOf } = sharedServer({ appendonly: "no" });

const start = millis(1_800_000_000_000);

const row: SessionRecord = {
  id: "c25c0000-0000-4000-8000-000000000001" as SessionId,
  tenantId: PUBLIC_TENANT,
  userId: "alice" as UserId,
  secretHash: "hash",
  current: 0,
  next: 0,
  issuedAt: millis(0),
  keyKind: "dynamic",
  payload: '{"role":"reader"}',
  data: "{}",
  facts: "{}",
  factsVersion: 0,
  payloadVersion: 0,
  bound: "",
  createdAt: start,
  lastActiveAt: start,
  expiresAt: millis(start + 1000),
  idleExpiresAt: NEVER,
};
const withDevice = { ...row, id: "c25c0000-0000-4000-8000-000000000002" as SessionId, device: "phone" };
const ended: SessionRecord = {
  ...row,
  id: "c25c0000-0000-4000-8000-000000000003" as SessionId,
  payload: "{}",
  endedAt: start,
  endReason: "logout",
};

/** A store as schema version 1 wrote it. */
const writeStore = (prefix: string): void => {
  const write = (verb: string, name: string, ...values: readonly string[]): void =>
    void server().command(verb, `${prefix}:${name}`, ...values);
  const v = "0 0 0 d 1800000000000 1800000000000 1800000001000 8640000000000000 1800000001000";
  const fields = ["h", "hash", "t", "public", "u", "alice", "d", "{}", "p"];
  write("hset", `{5c}:s:${row.id}`, "v", `${v} - -`, ...fields, row.payload);
  write("hset", `{5c}:s:${withDevice.id}`, "v", `${v} - -`, ...fields, row.payload, "x", '["phone",null]');
  write("hset", `{5c}:s:${ended.id}`, "v", `${v} 1800000000000 logout`, ...fields, "{}");
  for (const { id } of [row, withDevice]) for (const name of ["ids", "u:alice"]) write("zadd", `{5c}:${name}`, "0", id);
  write("zadd", "{5c}:o:alice", "0", ended.id);
  for (const { id } of [row, withDevice, ended]) write("zadd", "{5c}:sweep", "1800000001000", id);
  const told = ["id", ended.id, "tenant", "public", "user", "alice", "at", "1800000000000", "reason", "logout"];
  write("xadd", "{5c}:feed", "1800000000000-1", ...told);
  write("hset", "{m}:schema", "epoch", "123456789012", "version:1", "1");
};

it("finds what the schema version before has written, with the defaults, also before it is migrated", async () => {
  const clock = new TestClock();
  writeStore("read");
  const storage = await openForTest(urlOf("read", "&durability=none"), { clock });
  const check = async (): Promise<void> => {
    expect((await storage.listSessions({}, { limit: 9 })).items).toStrictEqual([row, withDevice]);
    expect(await storage.getSession(ended.id)).toStrictEqual(ended);
    expect(await storage.liveOf([ended.id, row.id])).toStrictEqual([
      undefined,
      { tenantId: row.tenantId, payloadVersion: 0, expiresAt: row.expiresAt, idleExpiresAt: NEVER },
    ]);
    expect(await storage.revocationsSince({ at: start })).toMatchObject({
      items: [{ id: ended.id, reason: "logout" }],
    });
  };
  await check();
  await storage.migrate();
  await check();
  const schema = server().command("hgetall", "read:{m}:schema").split("\n");
  // Which a release of schema version 1 refuses.
  expect(schema).toStrictEqual(["epoch", "123456789012", "version:1", "1", "version:2", "2", "version:3", "3"]);
});

it("works on what the schema version before has written", async () => {
  const clock = new TestClock();
  writeStore("work");
  const outbox = [{ id: "a", types: ["session_ended"] }] as const;
  const storage = await openForTest(urlOf("work", "&durability=none"), { clock, outbox });
  await storage.migrate();
  expect(await storage.rotate(attemptOf(row))).toMatchObject({ minted: true, record: { next: 1, facts: "{}" } });
  const expected = { factsVersion: 0, payloadVersion: 0, next: 1 };
  expect(await storage.changeSession(row.id, { expected, facts: '{"a":1}', announced: true })).toMatchObject({
    kind: "changed",
    record: { facts: '{"a":1}', factsVersion: 1, payloadVersion: 1 },
  });
  expect(await storage.changesSince({ at: start })).toMatchObject({ items: [{ id: row.id, payloadVersion: 1 }] });
  const ids = [row.id];
  expect(await storage.revokeSessions({ kind: "ids", ids }, { reason: "logout" })).toHaveLength(1);
  expect(await storage.getSession(row.id)).toMatchObject({ facts: "{}", factsVersion: 1, endReason: "logout" });
  clock.advance(2000);
  expect(await storage.deleteExpired(clock.now(), 9)).toBe(2);
  const taken = await storage.takeOutbox(9, millis(clock.now() + 1000));
  expect(taken.map(({ event }) => [event.sessionId, event.reason])).toStrictEqual([
    [row.id, "logout"],
    [withDevice.id, "expired"],
  ]);
});
