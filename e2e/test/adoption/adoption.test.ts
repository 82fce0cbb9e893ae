import { type KitBackend, openEmbedded, TestClock } from "@pawl/adapter-conformance";
import { createPawl } from "@pawl/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../../packages/node/test/backends.js";
import { TestBrowser } from "../../../packages/node/test/browser.js";
import { HOST, HOUR } from "../../../packages/node/test/site.js";
import { inMemory, inPostgres, inRedis } from "./express-sessions.js";
import type { OldCookie, OldSystem } from "./old-system.js";
import { betterAuthSessions, iron8, iron9 } from "./other-sessions.js";

const DAY = 24 * HOUR;

const systems: Readonly<Record<string, () => Promise<OldSystem>>> = {
  "express-session in memory": inMemory,
  "iron-session 8": iron8,
  "iron-session 9": iron9,
  "better-auth": betterAuthSessions,
};
/** To a core these are the same system. */
const otherStores: typeof systems = {
  "express-session in Redis (connect-redis)": inRedis,
  "express-session in PostgreSQL (connect-pg-simple)": inPostgres,
};

/** What somebody without the keys may make of a cookie. */
const forgeries: Readonly<Record<string, (value: string) => string>> = {
  "another name of the session": (value) =>
    value.replace(/^(.{6})./u, (_, start: string) => `${start}${value[6] === "x" ? "y" : "x"}`),
  "no signature": (value) => value.split(/\.|%2E|\*/u, 1)[0] ?? "",
  "another signature": (value) => value.replace(/.{9}$/u, "AAAAAAAAA"),
  nothing: () => "",
};

/** Its time is that of the old systems, which have no clock of ours. */
const clockOfToday = (): TestClock => {
  const clock = new TestClock();
  clock.advance(Date.now() - clock.now());
  return clock;
};

const cases = [
  ...Object.entries(systems).flatMap(([name, open]) =>
    backends.map(([where, openBackend]) => [`${name}, ${where}`, open, openBackend] as const),
  ),
  ...Object.entries(otherStores).map(([name, open]) => [name, open, openEmbedded] as const),
];

describe.each(cases)("%s", (_, open, openBackend) => {
  let old: OldSystem;
  let [clock, thefts] = [clockOfToday(), 0];
  let backend: KitBackend;
  let pawl: ReturnType<typeof createPawl<{ role: string }>>;
  beforeEach(async () => {
    old = await open();
    [clock, thefts] = [clockOfToday(), 0];
    backend = await openBackend({}, clock);
    pawl = createPawl<{ role: string }>({
      ...backend.options,
      ...("storage" in backend.options && { masterKey: Buffer.alloc(32, 7).toString("base64") }),
      clock,
      adopt: { until: clock.now() + 30 * DAY, ...old.adopt },
      onTokenTheft: () => void (thefts += 1),
    });
  });
  afterEach(async () => {
    await pawl.close();
    await backend.close();
    await old.close();
  });

  const browserWith = ([name, value]: OldCookie): TestBrowser => {
    const browser = new TestBrowser();
    browser.jar.receive(HOST, [`${name}=${value}; Path=/; Secure`]);
    return browser;
  };
  const me = (browser: TestBrowser) =>
    browser
      .visit((exchange) => pawl.getSession(exchange), { method: "GET" })
      .then(({ result, ...rest }) => ({ ...rest, session: result }));
  const live = async () => (await pawl.sessions.list("alice")).items.length;

  it("goes on in one session: five first requests at once, lost answers, refreshes, a token that ran out", async () => {
    const browser = browserWith(await old.login("alice"));
    const first = await Promise.all(Array.from({ length: 5 }, () => me(browser.copy())));
    expect(first.map(({ session }) => [session?.userId, session?.payload.role])).toEqual(
      Array.from({ length: 5 }, () => ["alice", "role of alice"]),
    );
    clock.advance(2 * HOUR);
    const handles = new Set(first.map(({ session }) => session?.handle)).add(
      (await me(browser.copy())).session?.handle,
    );
    for (let round = 0; round < 4; round++) {
      handles.add((await me(browser)).session?.handle);
      clock.advance(2 * HOUR);
    }
    expect([handles.size, await live(), thefts]).toEqual([1, 1, 0]);
  });

  it("is another session for another login, of the same user too", async () => {
    const users = ["alice", "alice", "bob"];
    const handles = new Set<string | undefined>();
    for (const user of users) handles.add((await me(browserWith(await old.login(user)))).session?.handle);
    expect([handles.size, await live()]).toEqual([3, 2]);
  });

  it.each(Object.entries(forgeries))("takes no forged cookie: %s", async (_, forge) => {
    const [name, value] = await old.login("alice");
    const visit = await me(browserWith([name, forge(value)]));
    expect([visit.status, visit.session, await live()]).toEqual([200, undefined, 0]);
  });

  it("takes none whose time is over", async () => {
    const visit = await me(browserWith(await old.expire(await old.login("alice"))));
    expect([visit.status, visit.session, visit.lines]).toEqual([200, undefined, 0]);
  });

  it("logs nobody out while it is down", async (context) => {
    if (old.stop === undefined) return context.skip("its sessions are in the cookie");
    const [adopted, other] = [browserWith(await old.login("alice")), browserWith(await old.login("bob"))];
    await me(adopted);
    await old.stop();
    const visit = await me(other);
    expect([visit.status, visit.error?.code, visit.lines]).toEqual([503, "UNKNOWN", 0]);
    expect((await me(adopted)).session?.userId).toBe("alice");
  });

  it("stays signed out, whoever still has the cookie, however it is written", async () => {
    const cookie = await old.login("alice");
    const [browser, early] = [browserWith(cookie), browserWith(cookie)];
    await me(browser);
    expect((await browser.visit((exchange) => pawl.signOut(exchange))).status).toBe(200);
    expect(browser.cookies()).toEqual([]);
    const [name, value] = cookie;
    const spelled = [value, decodeURIComponent(value), `"${value}"`, `${value}a`, `${value}%20`, `${value}=`];
    for (const hours of [0, 1, 48])
      for (const spelling of spelled) {
        clock.advance(hours * HOUR);
        expect((await me(browserWith([name, spelling]))).session).toBe(undefined);
      }
    expect([(await me(early)).session, await live(), thefts]).toEqual([undefined, 0, 0]);
  });
});
