import { bucketOfUser, millis, type SessionId, type SessionRecord, type TenantId, type UserId } from "@pawl/storage";
import { sessionRecord, TestClock } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "../src/feeds/feed-position.js";
import { userTags } from "../src/key-space.js";
import { openForTest, sharedServer } from "./server.js";

const { server, urlOf } = sharedServer({ appendonly: "no" });

/** The content of every key, in the order of names. */
const contents = (prefix: string): Readonly<Record<string, string>> => {
  const { command } = server();
  const read: Readonly<Record<string, readonly string[]>> = {
    hash: ["hgetall"],
    zset: ["zrange", "0", "-1", "withscores"],
    stream: ["xrange", "-", "+"],
    string: ["get"],
  };
  const names = command("--raw", "keys", `${prefix}:*`).split("\n").toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const type = command("--raw", "type", name);
      const [verb, ...rest] = read[type]!;
      const lines = command("--raw", verb!, name, ...rest)
        .replaceAll("\0", "␀")
        .split("\n");
      // A hash has no order.
      const pairs = Array.from(
        { length: lines.length / 2 },
        (_, index) => `${lines[2 * index]} = ${lines[2 * index + 1]}`,
      );
      return [name.slice(prefix.length), type === "hash" ? pairs.toSorted().join("\n") : lines.join("\n")];
    }),
  );
};

it("is the one that README.md writes down, which never changes", async () => {
  const clock = new TestClock();
  const outbox = [{ id: "1a2b3c4d", types: ["session_ended", "admin"] }] as const;
  const storage = await openForTest(urlOf("layout", "&durability=none"), { clock, outbox });
  await storage.migrate();
  server().command("hset", "layout:{m}:schema", "epoch", "123456789012");
  const session = (id: string, parts: Partial<SessionRecord>): SessionRecord =>
    sessionRecord(clock, { payload: "{}", data: "{}", ...parts, id: id as SessionId, secretHash: "hash" });
  const customer = { tenantId: "customer-1" as TenantId, userId: "bob" as UserId };
  await storage.createSession(session("c25c0000-0000-4000-8000-000000000001", { device: "phone" }));
  expect(bucketOfUser(customer)).toBe(0x7e19);
  await storage.createSession(session("7e190000-0000-4000-8000-000000000002", customer));
  const linked = "c25c0000-0000-4000-8000-000000000003" as SessionId;
  await storage.createSession(session(linked, { link: "https://idp.example 1", subject: "https://idp.example alice" }));
  await storage.changeSession(linked, { facts: '{"level":2}', bound: "thumbprint", announced: true });
  clock.advance(5);
  const ids = ["7e190000-0000-4000-8000-000000000002" as SessionId];
  await storage.revokeSessions({ kind: "ids", ids }, { reason: "logout", detail: "x/y" });
  const key = "admin:1";
  await storage.appendEvents([{ key, at: clock.now(), type: "admin", ...customer, count: 1 }]);
  await storage.settleOutbox({ key, destination: "1a2b3c4d" }, { kind: "dead", state: '{"tries":3}' });
  await storage.addCounts([{ hour: millis(1_800_000_000_000), name: "logins", count: 3 }]);
  await storage.claimMeta("state", "one");
  expect(contents("layout")).toMatchInlineSnapshot(`
    {
      ":{19}:due": "1a2b3c4d s7e190000-0000-4000-8000-000000000002
    1800000000005",
      ":{19}:events": "admin:1 = 1 ["1800000000005","admin","customer-1","bob",false,false,false]
    session_ended:7e190000-0000-4000-8000-000000000002 = 1 ["1800000000005","session_ended","customer-1","bob","7e190000-0000-4000-8000-000000000002","logout","{\\"by\\":\\"x\\/y\\"}"]",
      ":{19}:feed": "1800000000005-1
    id
    7e190000-0000-4000-8000-000000000002
    tenant
    customer-1
    user
    bob
    at
    1800000000005
    reason
    logout",
      ":{19}:o:bob": "7e190000-0000-4000-8000-000000000002
    0",
      ":{19}:outbox": "1a2b3c4d admin:1 = 0000000000000002 d 1␀["1800000000005","admin","customer-1","bob",false,false,false]␀{"tries":3}
    1a2b3c4d session_ended:7e190000-0000-4000-8000-000000000002 = 0000000000000001 q 1␀["1800000000005","session_ended","customer-1","bob","7e190000-0000-4000-8000-000000000002","logout","{\\"by\\":\\"x\\/y\\"}"]␀{}",
      ":{19}:queues": "d␀0001800000000005␀1a2b3c4d admin:1
    0
    q1a2b3c4d s7e190000-0000-4000-8000-000000000002␀0000000000000001␀1a2b3c4d session_ended:7e190000-0000-4000-8000-000000000002
    0
    ubob␀1a2b3c4d admin:1
    0
    ubob␀1a2b3c4d session_ended:7e190000-0000-4000-8000-000000000002
    0",
      ":{19}:s:7e190000-0000-4000-8000-000000000002": "d = {}
    h = hash
    p = {}
    t = customer-1
    u = bob
    v = 0 0 0 d 1800000000000 1800000000000 1808640000000 8640000000000000 1808640000000 1800000000005 logout",
      ":{19}:sweep": "7e190000-0000-4000-8000-000000000002
    1808640000000",
      ":{19}:trail": "a␀0001800000000005␀admin:1
    0
    g␀0001800000000005␀admin:1
    0
    g␀0001800000000005␀session_ended:7e190000-0000-4000-8000-000000000002
    0
    s7e190000-0000-4000-8000-000000000002␀0001800000000005␀session_ended:7e190000-0000-4000-8000-000000000002
    0
    tcustomer-1␀0001800000000005␀admin:1
    0
    tcustomer-1␀0001800000000005␀session_ended:7e190000-0000-4000-8000-000000000002
    0
    ubob␀0001800000000005␀admin:1
    0
    ubob␀0001800000000005␀session_ended:7e190000-0000-4000-8000-000000000002
    0",
      ":{19}:turn": "2",
      ":{5c}:changes": "1800000000000-1
    id
    c25c0000-0000-4000-8000-000000000003
    tenant
    public
    user
    alice
    at
    1800000000000
    version
    1",
      ":{5c}:ids": "c25c0000-0000-4000-8000-000000000001
    0
    c25c0000-0000-4000-8000-000000000003
    0",
      ":{5c}:l:https://idp.example 1": "c25c0000-0000-4000-8000-000000000003
    0",
      ":{5c}:l:https://idp.example alice": "c25c0000-0000-4000-8000-000000000003
    0",
      ":{5c}:s:c25c0000-0000-4000-8000-000000000001": "d = {}
    h = hash
    p = {}
    t = public
    u = alice
    v = 0 0 0 d 1800000000000 1800000000000 1808640000000 8640000000000000 1808640000000 - -
    x = ["phone",null]",
      ":{5c}:s:c25c0000-0000-4000-8000-000000000003": "d = {}
    f = thumbprint␀1 1 {"level":2}
    h = hash
    p = {}
    t = public
    u = alice
    v = 0 0 0 d 1800000000000 1800000000000 1808640000000 8640000000000000 1808640000000 - -
    x = [null,null,"https://idp.example 1","https://idp.example alice"]",
      ":{5c}:sweep": "c25c0000-0000-4000-8000-000000000001
    1808640000000
    c25c0000-0000-4000-8000-000000000003
    1808640000000",
      ":{5c}:u:alice": "c25c0000-0000-4000-8000-000000000001
    0
    c25c0000-0000-4000-8000-000000000003
    0",
      ":{m}:counts": "0001800000000000 logins = 3",
      ":{m}:hours": "0001800000000000 logins
    0",
      ":{m}:meta": "state = one",
      ":{m}:names": "state
    0",
      ":{m}:schema": "epoch = 123456789012
    version:1 = 1
    version:2 = 2
    version:3 = 3",
    }
  `);
});

it("writes cursors that fit into an address, and reads them again", () => {
  expect(encodeCursor("123456789012", new Map())).toBe("123456789012.");
  const start = 1_800_000_000_000;
  const everywhere = new Map(userTags.map((tag, index) => [tag, start + ((index * 7919) % 3600) * 1000]));
  const cursor = encodeCursor("123456789012", everywhere);
  expect(cursor.length).toBeLessThan(2048);
  expect(decodeCursor(cursor)).toStrictEqual({ epoch: "123456789012", position: everywhere });
  for (const wrong of ["", "1.", `${cursor}A`, cursor.slice(0, -1), `${cursor}=`, "123456789012.gA"])
    expect(decodeCursor(wrong)).toBeUndefined();
  expect(decodeCursor(encodeCursor("123456789012", new Map([["ff", millis(0)]])))?.position.get("ff")).toBe(0);
});
