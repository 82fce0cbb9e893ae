import { type EventRecord, millis, PUBLIC_TENANT, type SessionId, type TenantId, type UserId } from "@pawl/storage";
import { sessionRecord } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { openForTest, sharedServer } from "./server.js";

const { server, urlOf } = sharedServer({ appendonly: "no" });

const destination = "a";
const outbox = [{ id: destination, types: ["admin", "session_ended"] }] as const;

const event = (key: string, parts: Partial<EventRecord> = {}): EventRecord => ({
  key,
  at: millis(1_700_000_000_000),
  type: "admin",
  count: 1,
  ...parts,
});

it("gives each entry to one of many nodes, and each node what it asked for while there is enough", async () => {
  const url = urlOf("race", "&durability=none");
  const nodes = await Promise.all(Array.from({ length: 4 }, () => openForTest(url, { outbox })));
  const [node] = nodes;
  await node!.appendEvents(Array.from({ length: 100 }, (_, index) => event(`event-${index}`)));
  const until = millis(node!.now() + 60_000);
  const taken = await Promise.all(nodes.map((each) => each.takeOutbox(20, until)));
  expect(taken.map(({ length }) => length)).toStrictEqual([20, 20, 20, 20]);
  expect(new Set(taken.flat().map(({ event: { key } }) => key)).size).toBe(80);
  expect(await node!.takeOutbox(100, until)).toHaveLength(20);
  expect(await node!.takeOutbox(100, until)).toStrictEqual([]);
});

it("settles an entry wherever it stands", async () => {
  const storage = await openForTest(urlOf("settle", "&durability=none"), { outbox });
  const { id } = sessionRecord(storage);
  const user = { tenantId: "customer-1" as TenantId, userId: "bob" as UserId };
  const events = [
    event(`end of ${id}`, { sessionId: id }),
    event(`${crypto.randomUUID()} that names nothing`),
    event("names nothing", { sessionId: id }),
    event(`names ${id}, and not the user`, user),
    event("without anything"),
  ];
  await storage.appendEvents(events);
  for (const { key } of events) {
    expect(await storage.settleOutbox({ key, destination }, { kind: "delivered" }), key).toBe(true);
    expect(await storage.settleOutbox({ key, destination }, { kind: "delivered" }), key).toBe(false);
  }
});

it("leaves no key behind when what it held is gone", async () => {
  const url = urlOf("gone", "&durability=none");
  const storage = await openForTest(url, { outbox });
  await storage.migrate();
  const user = { tenantId: "customer-1" as TenantId, userId: "bob" as UserId };
  const make = async (): Promise<SessionId> => {
    const record = sessionRecord(storage, { ...user, link: "idp 1", facts: '{"a":1}' });
    await storage.createSession(record);
    return record.id;
  };
  const [first, second, third] = [await make(), await make(), await make()];
  await storage.revokeSessions({ kind: "ids", ids: [first] }, { reason: "logout" });
  await storage.revokeSessions({ kind: "ids", ids: [second] }, { reason: "logout" });
  await storage.settleOutbox({ key: `session_ended:${second}`, destination }, { kind: "dead", state: "{}" });
  expect((await storage.listSessions({ link: "idp 1" }, { limit: 9 })).items.map(({ id }) => id)).toStrictEqual([
    third,
  ]);
  // By a process that has no outbox of its own.
  const other = await openForTest(url);
  expect(await other.eraseUser(user)).toMatchObject({ rows: 3, events: 2 });
  const expired = sessionRecord(storage, { tenantId: PUBLIC_TENANT, link: "idp 1", expiresAt: millis(1) });
  await storage.createSession(expired);
  await storage.deleteExpired(millis(1), 9);
  const far = millis(storage.now() + 60_000);
  const [taken] = await storage.takeOutbox(9, far);
  await storage.settleOutbox({ key: taken!.event.key, destination }, { kind: "delivered" });
  await storage.deleteEvents(far, 9);
  await storage.deleteRevocations(far, 9);
  const left = server().command("keys", "gone:*").split("\n");
  const names = left.map((name) => name.replace(/^gone:\{..?\}:/u, ""));
  expect(names.toSorted()).toStrictEqual(["feed", "schema", "turn", "turn"]);
});
