import { millis, type Storage, type TenantId, type UserId } from "@pawl/storage";
import { attemptOf, sessionRecord } from "@pawl/storage-conformance";
import { expect, it } from "vitest";
import { openForTest, sharedServer } from "./server.js";

const { server, urlOf } = sharedServer({ appendonly: "no" });

/** How many commands the server has run for something, those inside scripts among them. */
const commandsOf = async (work: () => Promise<unknown>): Promise<number> => {
  server().command("config", "resetstat");
  await work();
  const calls = [
    ...server()
      .command("info", "commandstats")
      .matchAll(/^cmdstat_(?!config|info).*?calls=(\d+)/gmu),
  ];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
};

/** What each costs that must not depend on how many other sessions there are. */
const costs = async (storage: Storage): Promise<Readonly<Record<string, number>>> => {
  const user = { userId: "somebody" as UserId, link: "idp 1", subject: "idp somebody" };
  const make = () => sessionRecord(storage, user);
  const records = [make(), make(), make()];
  const tenantId = records[0]!.tenantId;
  const over = sessionRecord(storage, { ...user, expiresAt: millis(1) });
  return {
    create: await commandsOf(() => Promise.all(records.map((record) => storage.createSession(record)))),
    refresh: await commandsOf(() => storage.rotate(attemptOf(records[0]!))),
    list: await commandsOf(() => storage.listSessions({ tenantId, userId: user.userId }, { limit: 10 })),
    link: await commandsOf(() => storage.listSessions({ link: user.link }, { limit: 10 })),
    subject: await commandsOf(() => storage.listSessions({ subject: user.subject }, { limit: 10 })),
    change: await commandsOf(() => storage.changeSession(records[0]!.id, { facts: "{}", announced: true })),
    live: await commandsOf(() => storage.liveOf(records.map(({ id }) => id))),
    limit: await commandsOf(() => storage.createSession(make(), { maxPerUser: 2 })),
    revoke: await commandsOf(() =>
      storage.revokeSessions({ kind: "user", tenantId, userId: user.userId }, { reason: "logout" }),
    ),
    events: await commandsOf(() => storage.listEvents({ tenantId, userId: user.userId }, { limit: 10 })),
    expire: (await storage.createSession(over), await commandsOf(() => storage.deleteExpired(millis(1), 10))),
    erase: await commandsOf(() => storage.eraseUser({ tenantId, userId: user.userId })),
  };
};

it("costs the same in a store of ten thousand sessions as in an empty one", async () => {
  const storage = await openForTest(urlOf("growth", "&durability=none"));
  await storage.migrate();
  // Once before, so that the scripts are known.
  await costs(storage);
  const empty = await costs(storage);
  for (let batch = 0; batch < 20; batch += 1)
    await storage.importSessions(
      Array.from({ length: 500 }, (_, index) => sessionRecord(storage, { userId: `user-${batch}-${index}` as UserId })),
    );
  await storage.revokeSessions({ kind: "tenant", tenantId: "nobody" as TenantId }, { reason: "logout" });
  expect(await costs(storage)).toStrictEqual(empty);
  expect(empty["refresh"]).toBe(4);
});

it("touches one key in a refresh", async () => {
  const storage = await openForTest(urlOf("refresh", "&durability=none"));
  const record = sessionRecord(storage);
  await storage.createSession(record);
  server().command("config", "resetstat");
  await storage.rotate(attemptOf(record));
  const names = [
    ...server()
      .command("info", "commandstats")
      .matchAll(/^cmdstat_(\w+)/gmu),
  ].map(([, name]) => name);
  expect(new Set(names)).toStrictEqual(new Set(["config", "evalsha", "time", "hmget", "hset"]));
});
