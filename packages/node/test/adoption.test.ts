import { createServer } from "node:http";
import { type KitRules, openEmbedded, type OpenBackend, type TestClock } from "@pawl/adapter-conformance";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Adoption, createPawl, type JsonObject, type Session } from "../src/index.js";
import { forwardTo } from "./adapters/forward.js";
import { served } from "./adapters/served.js";
import { backends, benchOf } from "./backends.js";
import { TestBrowser } from "./browser.js";
import { openCore } from "./open-core.js";
import { HOST, HOUR } from "./site.js";

const DAY = 24 * HOUR;
const SECOND = 1000;

/** A system from before, which keeps sessions by the value of a cookie. */
class OldSystem {
  readonly sessions = new Map<string, { id: string; userId: string; payload?: JsonObject; createdAt?: number }>();
  isDown = false;
  asked = 0;

  options(clock: TestClock): Adoption<JsonObject, JsonObject> {
    return {
      cookies: ["old.sid"],
      until: clock.now() + 30 * DAY,
      load: (request) => {
        this.asked += 1;
        if (this.isDown) throw new Error("the old store is down");
        return this.sessions.get(request.cookie("old.sid") ?? "");
      },
    };
  }

  /** A browser that is logged in there. */
  browser(userId = "alice", more: { payload?: JsonObject; createdAt?: number } = {}): TestBrowser {
    const id = `${userId} ${this.sessions.size}`;
    this.sessions.set(id, { id, userId, ...more });
    const browser = new TestBrowser();
    browser.jar.receive(HOST, [`old.sid=${encodeURIComponent(id)}; Path=/; Secure`]);
    return browser;
  }
}

const startOn = async (openBackend: OpenBackend, rules: KitRules = {}) => {
  const old = new OldSystem();
  const thefts: string[] = [];
  const bench = await benchOf(openBackend, {}, rules);
  const onTokenTheft = ({ userId }: { readonly userId: string }): void => void thefts.push(userId);
  const pawl = bench.deploy({ adopt: old.options(bench.clock), onTokenTheft });
  const me = (browser: TestBrowser) =>
    browser.visit(async (exchange) => (await pawl.getSession(exchange))?.userId, { method: "GET" });
  const handle = (browser: TestBrowser) => browser.visit(async (exchange) => (await pawl.getSession(exchange))?.handle);
  const live = async (userId = "alice") => (await pawl.sessions.list(userId)).items;
  return { ...bench, old, thefts, pawl, me, handle, live };
};

/** Loses the answer. */
const lost = (browser: TestBrowser): TestBrowser => browser.copy();

describe.each(backends)("%s", (_, openBackend) => {
  const start = (rules?: KitRules) => startOn(openBackend, rules);

  describe("a browser that is logged in with the system from before", () => {
    it("is logged in at its first request, with the payload from there, and the old system is not asked again", async () => {
      const { old, pawl, clock, me, live } = await start();
      const browser = old.browser("alice", { payload: { role: "admin" }, createdAt: clock.now() - DAY });
      const first = await browser.visit((exchange) => pawl.getSession(exchange));
      expect(first.result).toMatchObject({ userId: "alice", payload: { role: "admin" } });
      expect(first.result?.auth?.at).toBe(Math.floor((clock.now() - DAY) / 1000) * 1000);
      for (let hours = 0; hours < 5; hours++) {
        expect((await me(browser)).result).toBe("alice");
        clock.advance(HOUR);
      }
      expect([old.asked, (await live()).length, (await live())[0]?.createdAt]).toEqual([
        1,
        1,
        clock.now() - DAY - 5 * HOUR,
      ]);
    });

    it("gets one session from five first requests at once, and from later ones whose answers are lost", async () => {
      const { old, clock, pawl, me, live, thefts } = await start();
      const browser = old.browser();
      const tabs = Array.from({ length: 5 }, () => browser.copy());
      const handles = await Promise.all(
        tabs.map(async (tab) => (await tab.visit((exchange) => pawl.requireSession(exchange))).result?.handle),
      );
      expect(new Set(handles).size).toBe(1);
      // None of these answers arrived.
      for (const wait of [0, 10 * SECOND, HOUR, 3 * DAY]) {
        clock.advance(wait);
        const { result } = await lost(browser).visit((exchange) => pawl.requireSession(exchange));
        expect(result?.handle).toBe(handles[0]);
      }
      expect((await me(browser)).result).toBe("alice");
      for (let round = 0; round < 4; round++) {
        clock.advance(2 * HOUR);
        expect((await me(browser)).result).toBe("alice");
      }
      expect([(await live()).length, thefts]).toEqual([1, []]);
    });

    it("is not logged out while that system is down: nothing is known, and every cookie stays", async () => {
      const { old, me } = await start();
      const browser = old.browser();
      old.isDown = true;
      const visit = await me(browser);
      expect([visit.status, visit.lines, visit.error?.code]).toEqual([503, 0, "UNKNOWN"]);
      old.isDown = false;
      expect((await me(browser)).result).toBe("alice");
    });

    it("is not logged out while nothing is known of sessions here either", async () => {
      const { old, pawl, backend, me, live } = await start();
      const browser = old.browser();
      await pawl.ready();
      backend.isDown = true;
      for (const visit of [await me(browser), await browser.visit((exchange) => pawl.signOut(exchange))])
        expect([visit.status, visit.lines, visit.error?.code]).toEqual([503, 0, "UNKNOWN"]);
      backend.isDown = false;
      expect([(await me(browser)).result, (await live()).length]).toEqual(["alice", 1]);
    });

    it("is nobody where that system knows no such session, and is asked again with the next request", async () => {
      const { old, me } = await start();
      const browser = old.browser();
      const [[id, login] = ["", { id: "", userId: "" }]] = [...old.sessions];
      old.sessions.clear();
      const visit = await me(browser);
      expect([visit.status, visit.result, visit.lines]).toEqual([200, undefined, 0]);
      old.sessions.set(id, login);
      expect((await me(browser)).result).toBe("alice");
    });

    it("is not asked about once the time is over", async () => {
      const { old, clock, me } = await start();
      const browser = old.browser();
      clock.advance(30 * DAY);
      expect([(await me(browser)).result, old.asked]).toEqual([undefined, 0]);
    });

    it("keeps what is left of its absolute timeout", async () => {
      const { old, clock, me, live } = await start({ absoluteTimeout: 2 * DAY });
      const browser = old.browser("alice", { createdAt: clock.now() - 47 * HOUR });
      expect((await me(browser)).result).toBe("alice");
      clock.advance(HOUR);
      expect([(await me(browser)).result, await live()]).toEqual([undefined, []]);
      const over = old.browser("bob", { createdAt: clock.now() - 48 * HOUR });
      const visit = await me(over);
      expect([visit.status, visit.result]).toEqual([200, undefined]);
    });

    it("counts towards the limit of a user's sessions", async () => {
      const { old, clock, me, live } = await start({ maxSessionsPerUser: 2 });
      for (let count = 0; count < 3; count++) {
        expect((await me(old.browser())).result).toBe("alice");
        clock.advance(SECOND);
      }
      expect((await live()).length).toBe(2);
    });

    it("is refused from another site where a request could change something", async () => {
      const { old, pawl } = await start();
      const headers = { "sec-fetch-site": "cross-site" };
      const visit = await old.browser().visit((exchange) => pawl.getSession(exchange), { headers });
      expect([visit.error?.code, old.asked]).toEqual(["CSRF", 0]);
    });

    it("is sent to refresh where a page cannot set cookies, and adopted there", async () => {
      const { old, pawl, me } = await start();
      const browser = old.browser();
      const read = () => browser.visit((exchange) => pawl.readSession(exchange), { method: "GET" });
      expect([(await read()).result, old.asked]).toEqual([{ status: "try_refresh" }, 0]);
      const answer = await browser.visit(async (exchange) => pawl.handle(exchange), {
        path: "/session/refresh?return=/page",
        method: "GET",
        headers: { "sec-fetch-site": "same-origin", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" },
      });
      expect([answer.result?.status, answer.lines]).toEqual([303, 2]);
      expect((await read()).result?.status).toBe("valid");
      expect((await me(browser)).result).toBe("alice");
    });
  });

  describe("an adopted session that has ended", () => {
    const ends: Readonly<
      Record<string, (session: Session, pawl: Awaited<ReturnType<typeof startOn>>["pawl"]) => Promise<unknown>>
    > = {
      "by a sign-out": (session) => session.end(),
      "by the application": (session, pawl) => pawl.sessions.end(session.handle),
      "with all of its user": (session, pawl) => pawl.sessions.endUser(session.userId),
    };

    it.each(Object.entries(ends))("does not come back with the old cookie: %s", async (_name, end) => {
      const { old, clock, pawl, me, live } = await start({ refreshTokenValidity: 5 * DAY });
      const browser = old.browser();
      const early = browser.copy();
      const { result } = await browser.visit((exchange) => pawl.requireSession(exchange));
      await end(result as Session, pawl);
      for (let days = 0; days < 29; days++) {
        expect((await me(early.copy())).result).toBe(undefined);
        clock.advance(DAY);
      }
      expect([await live(), old.asked]).toEqual([[], 30]);
    });

    it("by its own time does not come back either, also once its row was swept", async () => {
      const { old, clock, backend, me, live } = await start({ refreshTokenValidity: 2 * DAY });
      const browser = old.browser();
      const early = browser.copy();
      expect((await me(browser)).result).toBe("alice");
      for (let days = 0; days < 29; days++) {
        clock.advance(DAY);
        await backend.storage.deleteExpired(clock.now(), 100);
        if (days > 1) expect((await me(early.copy())).result).toBe(undefined);
      }
      expect(await live()).toEqual([]);
    });

    it("takes the old cookie with it at a sign-out", async () => {
      const { old, pawl, me } = await start();
      for (const isAdopted of [true, false]) {
        const browser = old.browser();
        if (isAdopted) await me(browser);
        await browser.visit((exchange) => pawl.signOut(exchange));
        expect(browser.cookies()).toEqual([]);
      }
    });
  });

  describe("the cookie from before", () => {
    it("is a theft where its successors are in use: whoever holds it last loses the session", async () => {
      const { old, clock, me, live, thefts } = await start();
      const browser = old.browser();
      const thief = browser.copy();
      for (let round = 0; round < 3; round++) {
        expect((await me(browser)).result).toBe("alice");
        clock.advance(2 * HOUR);
      }
      expect([(await me(thief)).result, thefts, await live()]).toEqual([undefined, ["alice"], []]);
    });

    it("is no theft where the browser's own tokens have expired, because answers were lost that kept the session alive", async () => {
      const { old, clock, me, live, thefts } = await start({ refreshTokenValidity: 5 * DAY });
      const browser = old.browser();
      const fromBefore = browser.copy();
      for (let round = 0; round < 2; round++) {
        expect((await me(browser)).result).toBe("alice");
        clock.advance(2 * HOUR);
      }
      for (let round = 0; round < 2; round++) {
        clock.advance(2 * DAY);
        expect((await me(lost(browser))).result).toBe("alice");
      }
      clock.advance(2 * DAY);
      expect([(await me(browser)).result, (await me(fromBefore)).result, thefts]).toEqual([undefined, undefined, []]);
      expect(await live()).toHaveLength(1);
    });

    it("logs nobody in once somebody has logged in beside it", async () => {
      const { old, pawl, me, live } = await start();
      const browser = old.browser();
      const early = browser.copy();
      await browser.visit((exchange) => pawl.createSession(exchange, { userId: "bob" }));
      await expect.poll(() => old.asked).toBe(1);
      await expect.poll(async () => (await me(early.copy())).result).toBe(undefined);
      expect([(await me(browser)).result, await live()]).toEqual(["bob", []]);
      await browser.visit((exchange) => pawl.signOut(exchange));
      expect([(await me(early.copy())).result, (await me(browser)).result]).toEqual([undefined, undefined]);
    });

    it("of an adopted session is no theft at the next login", async () => {
      const { old, clock, pawl, me, live, thefts } = await start();
      const browser = old.browser();
      for (let round = 0; round < 3; round++) {
        expect((await me(browser)).result).toBe("alice");
        clock.advance(2 * HOUR);
      }
      await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
      await expect.poll(async () => (await live()).length).toBe(1);
      expect([(await me(browser)).result, thefts]).toEqual(["alice", []]);
    });
  });
});

it("an application on another master key meets the same session, and does not when it lacks the first", async () => {
  const { old, deploy, clock, handle, backend } = await startOn(openEmbedded);
  const [one, two] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString("base64"));
  const browser = old.browser();
  const { result } = await handle(lost(browser));
  const other = deploy({ masterKey: `${two},${one}`, adopt: old.options(clock), ...backend.options });
  clock.advance(HOUR);
  const again = await browser.copy().visit(async (exchange) => (await other.requireSession(exchange)).handle);
  expect([typeof result, again.result]).toEqual(["string", result]);
});

it("a core whose answer is lost is not asked alone: another one goes on with the same session", async () => {
  const { old, deploy, clock, backend, live, thefts } = await startOn(openCore);
  const [origin = ""] = (backend.options as { readonly core: readonly string[] }).core;
  let count = 0;
  const losing = await served(
    createServer((req, res) => {
      const lose = (): typeof res => {
        count += 1;
        return res.on("error", () => undefined).destroy();
      };
      if (req.url === "/v1/sessions/adopt") res.writeHead = lose;
      forwardTo(Number(new URL(origin).port), req, res);
    }),
  );
  onTestFinished(() => losing.close());
  const pawl = deploy({ core: [losing.origin, origin], adopt: old.options(clock) });
  for (const user of ["alice", "bob", "carol", "dan"]) {
    const visit = await old.browser(user).visit((exchange) => pawl.getSession(exchange));
    expect([visit.result?.userId, (await live(user)).length]).toEqual([user, 1]);
  }
  expect([count > 0, thefts]).toEqual([true, []]);
});

it.each([
  [{ reuseWindow: 0 }, /reuseWindow/],
  [{ deviceBinding: "require" }, /deviceBinding/],
] as const)("a core whose rules are %o is refused when it is opened", async (rules, message) => {
  const { pawl } = await startOn(openCore, rules);
  await expect(pawl.ready()).rejects.toThrow(
    expect.objectContaining({ name: "TypeError", message: expect.stringMatching(message) as string }),
  );
});

describe("the option", () => {
  const load = () => undefined;
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ["no cookie", { adopt: { cookies: [], until: "2027-01-01", load } }, /adopt\.cookies must be a list/],
    ["no time", { adopt: { cookies: ["a"], until: "soon", load } }, /adopt\.until must be/],
    ["no function", { adopt: { cookies: ["a"], until: 1 } }, /adopt\.load must be a function/],
    ["another name", { adopt: { cookies: ["a"], until: 1, load, untill: 1 } }, /adopt\.untill cannot be given/],
    ["no reuse window", { adopt: { cookies: ["a"], until: 1, load }, reuseWindow: 0 }, /reuseWindow/],
    ["a required key", { adopt: { cookies: ["a"], until: 1, load }, deviceBinding: "require" }, /deviceBinding/],
  ];
  it.each(cases)("is refused: %s", (_, options, message) => {
    expect(() => createPawl({ storage: "memory:", ...options })).toThrow(message);
  });
});
