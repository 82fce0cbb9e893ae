import type { SessionRecord } from "@pawl/storage";
import { testStorage } from "@pawl/storage-conformance";
import { startPgBouncer } from "@pawl/test-servers";
import { afterAll, expect, it } from "vitest";
import { openStorage } from "../src/index.js";
import { openForTest, startServer, urlOf } from "./server.js";

const server = await startServer();
const pooler = await startPgBouncer(server);
/** One that takes the settings of our connections and keeps them to itself. */
const silent = await startPgBouncer(server, { ignored: ["extra_float_digits", "options"] });
afterAll(() => Promise.all([pooler.stop(), silent.stop()]));

testStorage("PostgreSQL partitioned, behind a pooler in transaction mode", ({ location, ...options }) =>
  openStorage(urlOf(pooler, location, "&partitions=3"), options),
);

const session = (number: number): SessionRecord => {
  const hex = number.toString(16).padStart(12, "0");
  return {
    id: `0000abcd-0000-4000-8000-${hex}`,
    tenantId: "public",
    userId: "user",
    secretHash: "hash",
    current: 0,
    next: 0,
    issuedAt: 0,
    keyKind: "dynamic",
    createdAt: 0,
    lastActiveAt: 0,
    expiresAt: 8_640_000_000_000_000,
    idleExpiresAt: 8_640_000_000_000_000,
    payload: "{}",
    data: "{}",
    facts: "{}",
    factsVersion: 0,
    payloadVersion: 0,
    bound: "",
  } as unknown as SessionRecord;
};

it.each([
  ["refuses our settings", pooler],
  ["takes them and keeps them to itself", silent],
])("finds out by itself that a pooler is there which %s", async (_, { url }) => {
  // Two nodes by turns, which the pooler serves with one connection.
  const location = `found${pooler.url === url ? 1 : 2}`;
  const nodes = await Promise.all([1, 2].map(() => openForTest(urlOf({ url }, location))));
  await nodes[0]?.migrate();
  for (const [at, node] of [...nodes, ...nodes].entries()) {
    const { id, ...record } = session(at);
    await node.createSession({ id, ...record });
    expect(await node.getSession(id)).toMatchObject(record);
  }
});

it("prepares statements where there is none", async () => {
  const storage = await openForTest(urlOf(server, "direct"));
  await storage.migrate();
  let woken = 0;
  storage.watchFeeds(() => (woken += 1));
  await expect.poll(() => server.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")).toBe("1");
  await expect.poll(() => woken).toBeGreaterThan(0);
});

it("names the option where the URL says that there is none", async () => {
  await expect(openStorage(urlOf(pooler, "told", "&prepare=true"))).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("?prepare=false") as string,
    cause: { code: "08P01" },
  });
});
