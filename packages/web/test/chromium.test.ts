import { launchChromium, launchChromiumProfile } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Application, type ApplicationOptions, startApplication } from "./application.js";
import type { WebSession } from "../src/index.js";
import { pageUrl, SessionPage } from "./page.js";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});
const start = async (
  options: Parameters<typeof startApplication>[0] = {},
): Promise<{ readonly app: Application; readonly context: BrowserContext; readonly origin: string }> => {
  const app = await startApplication(options);
  const context = await browser.newContext();
  open.push(app, context);
  return { app, context, origin: app.origin() };
};
const REFRESH = "/session/refresh";

describe("one page", () => {
  test("a fresh browser: nobody is logged in, and nothing is refreshed", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    expect(await page.call("/public")).toBe(200);
    expect(await page.call("/me")).toBe(401);
    expect(await Promise.all([page.exists(), page.userId(), page.payload()])).toEqual([false, undefined, undefined]);
    expect(app.count("POST", REFRESH)).toBe(0);
    expect(await page.eventTypes()).toEqual([]);
  });

  test("login, calls, expiry, sign-out; the session survives a reload", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    expect(await page.login({ userId: "Zoë", payload: { role: "admin", 日本: true } })).toBe(200);
    expect([await page.userId(), await page.payload()]).toEqual(["Zoë", { role: "admin", 日本: true }]);
    app.clock.advance("2h");
    expect(await page.call("/me", { method: "POST", body: "text" })).toBe(200);
    expect(app.count("POST", REFRESH)).toBe(1);
    await page.page.reload();
    await page.loaded();
    expect([await page.exists(), await page.userId()]).toEqual([true, "Zoë"]);
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(await page.signOut()).toBe("ended");
    expect(await page.events()).toEqual([{ type: "ended", reason: "logout" }]);
    expect(await page.exists()).toBe(false);
    expect(await page.call("/me")).toBe(401);
    expect(app.count("POST", REFRESH)).toBe(1);
    expect(await context.cookies()).toEqual([]);
  });

  test("every kind of request is repeated with its body; what the browser refuses is handed on", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    const { bodies, stream } = await page.page.evaluate(async () => {
      const headers = { "content-type": "application/json" };
      const answers = await Promise.all([
        fetch("me", { method: "POST", body: '"text"', headers: new Headers(headers) }),
        fetch(new URL("/me", location.href), { method: "PUT", body: new Blob(['"blob"']), headers }),
        fetch(new Request("/me", { method: "POST", body: '"request"', headers })),
        fetch(new Request("./me?q", { method: "POST", body: "{}" }), { method: "PUT", body: '"init"', headers }),
      ]);
      const bodies = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { body: string }).body));
      // Over HTTP/1.1 no browser sends one.
      const init = { method: "POST", body: new Blob(["x"]).stream(), duplex: "half" } as RequestInit;
      const stream = await fetch("/me", init).then(
        () => "sent",
        (error: Error) => error.name,
      );
      return { bodies, stream };
    });
    expect(bodies).toEqual(["text", "blob", "request", "init"]);
    expect([stream, app.count("POST", REFRESH)]).toEqual(["TypeError", 1]);
  });

  test("axios with its fetch adapter", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    const answer = await page.page.evaluate(`import("/axios/axios.min.js")
      .then(({ default: axios }) => axios.post("/me", { from: "axios" }, { adapter: "fetch" }))
      .then(({ data, status }) => ({ data, status }))`);
    expect(answer).toEqual({ status: 200, data: { userId: "u1", body: { from: "axios" } } });
    expect(app.count("POST", REFRESH)).toBe(1);
  });

  test("tokens that are refused although they are new are not replaced again: no loop, no storm", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    for (let call = 0; call < 5; call++) expect(await page.call("/always-401")).toBe(401);
    expect([app.count("POST", REFRESH), app.count("GET", "/always-401")]).toEqual([1, 6]);
    expect(await page.call("/me")).toBe(200);
    expect(await page.eventTypes()).toEqual(["created", "refreshed"]);
  });

  test("the payload changes with a refresh, and the page hears of it", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login({ payload: { role: "reader" } });
    const [handle = ""] = await app.pawl.getAllSessionHandlesForUser("u1");
    await app.pawl.sessions.updatePayload(handle, { role: "writer" });
    expect(await page.attemptRefresh()).toBe("valid");
    expect(await page.payload()).toEqual({ role: "writer" });
    expect((await page.events()).slice(1)).toEqual([
      { type: "refreshed" },
      { type: "payload_changed", payload: { role: "writer" } },
    ]);
  });

  test("a session that the server has ended: with its reason, and once", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    await app.pawl.revokeAllSessionsForUser("u1");
    expect(await page.call("/me")).toBe(401);
    expect(await page.call("/me")).toBe(401);
    expect((await page.events()).slice(1)).toEqual([{ type: "ended", reason: "unauthorised" }]);

    await page.login();
    const stolen = (await context.cookies()).find(({ name }) => name === "sRefreshToken");
    for (const advance of ["2h", "2h"]) {
      app.clock.advance(advance);
      await page.call("/me");
    }
    app.clock.advance("2h");
    await context.addCookies([stolen!]);
    expect(await page.call("/me")).toBe(401);
    expect((await page.events()).at(-1)).toEqual({ type: "ended", reason: "token_reuse" });
  });

  test("the user clears the cookies: one refresh tells, and no more are asked", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    await context.clearCookies();
    for (let call = 0; call < 3; call++) expect(await page.call("/me")).toBe(401);
    expect(app.count("POST", REFRESH)).toBe(1);
    expect((await page.eventTypes()).slice(1)).toEqual(["ended"]);
  });

  test("the browser forgets what the page kept, but not the cookies: the next expiry finds the session again", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    await page.page.evaluate(() => indexedDB.deleteDatabase("pawl"));
    await page.page.reload();
    await page.loaded();
    expect(await page.exists()).toBe(false);
    expect(await page.call("/me")).toBe(200);
    app.clock.advance("2h");
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect([await page.userId(), app.count("POST", REFRESH)]).toEqual(["u1", 1]);
    expect(await page.eventTypes()).toEqual(["created"]);
  });

  test.each(["indexedDB", "BroadcastChannel"])("without %s everything works, for this page", async (name) => {
    const { app, context, origin } = await start();
    await context.addInitScript(
      (name) =>
        Object.defineProperty(globalThis, name, {
          get: () => {
            throw new DOMException("blocked", "SecurityError");
          },
        }),
      name,
    );
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(await page.signOut()).toBe("ended");
    expect(await page.eventTypes()).toEqual(["created", "refreshed", "ended"]);
  });
});

describe("trouble is no answer about a session", () => {
  test("offline and back", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    await context.setOffline(true);
    expect(await page.call("/me")).toBe(0);
    expect(await page.attemptRefresh()).toBe("unknown");
    expect([await page.exists(), (await page.eventTypes()).at(-1)]).toEqual([true, "unknown"]);
    await context.setOffline(false);
    expect(await page.call("/me")).toBe(200);
    expect(app.count("POST", REFRESH)).toBe(1);
  });

  test("the backend is down: pauses that grow, with jitter; no storm; nobody is logged out", async () => {
    const { app, context, origin } = await start();
    await context.clock.install();
    const pages = [await SessionPage.open(context, origin), await SessionPage.open(context, origin)] as const;
    await pages[0].login();
    app.clock.advance("2h");
    await pages[0].page.clock.pauseAt(Date.now() + 60_000);
    const asked: number[] = [];
    let now = 0;
    app.intercept(REFRESH, (_req, res) => {
      asked.push(now);
      res.status(500).json({});
    });
    // Ten minutes in which the page calls all the time.
    for (let step = 0.5; now < 600; now += step) {
      expect(await pages[0].call("/me")).toBe(401);
      step = now < 10 ? 0.5 : 10;
      await pages[0].page.clock.fastForward(step * 1000);
    }
    expect(asked.length).toBeLessThan(20);
    expect(asked.length).toBeGreaterThan(8);
    const pauses = asked.slice(1).map((at, index) => at - asked[index]!);
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(Math.min(60, 0.5 * 2 ** index));
    expect(await pages[0].exists()).toBe(true);
    app.intercept(REFRESH, undefined);
    await pages[0].page.clock.fastForward("02:00");
    expect(await pages[0].call("/me")).toBe(200);
    expect(await pages[1].call("/me")).toBe(200);
    expect(await pages[1].eventTypes()).not.toContain("ended");
  });

  test("Retry-After is honoured, as seconds and as a date", async () => {
    const { app, context, origin } = await start();
    await context.clock.install();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    const clock = page.page.clock;
    const values = ["120", new Date(Date.now() + 3_600_000).toUTCString()];
    let asked = 0;
    app.intercept(REFRESH, (_req, res) => {
      res.status(503).set("Retry-After", values[asked++]!).json({});
    });
    expect(await page.call("/me")).toBe(401);
    await clock.fastForward(119_000);
    expect(await page.attemptRefresh()).toBe("unknown");
    expect(asked).toBe(1);
    await clock.fastForward(120_000);
    expect(await page.attemptRefresh()).toBe("unknown");
    expect(asked).toBe(2);
    await clock.fastForward("30:00");
    expect(await page.attemptRefresh()).toBe("unknown");
    expect(asked).toBe(2);
    app.intercept(REFRESH, undefined);
    await clock.fastForward("02:00:00");
    expect(await page.call("/me")).toBe(200);
  });

  test("a refresh that hangs is given up after 10 s, and the answer that was lost is got again", async () => {
    const { app, context, origin } = await start();
    await context.clock.install();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    // The work is done, but the answer never arrives.
    let committed = (): void => undefined;
    const done = new Promise<void>((resolve) => (committed = resolve));
    let aborted = false;
    app.intercept(REFRESH, (_req, res, next) => {
      res.on("close", () => (aborted = true));
      res.end = () => {
        committed();
        return res;
      };
      next();
    });
    const call = page.call("/me");
    await done;
    await page.page.clock.fastForward(9_000);
    expect(aborted).toBe(false);
    await page.page.clock.fastForward(1_500);
    expect(await call).toBe(401);
    await expect.poll(() => aborted).toBe(true);
    app.intercept(REFRESH, undefined);
    await page.page.clock.fastForward(1_000);
    expect(await page.call("/me")).toBe(200);
    expect(await page.eventTypes()).toEqual(["created", "unknown", "refreshed"]);
  });

  test("a laptop that sleeps: for hours in the middle of a refresh, or long past the end of the session", async () => {
    const { app, context, origin } = await start({ idleTimeout: "30d" });
    await context.clock.install();
    const page = await SessionPage.open(context, origin);
    await page.login();
    const sleep = async (hours: number): Promise<void> => {
      app.clock.advance(`${hours}h`);
      await page.page.clock.fastForward(hours * 3_600_000);
    };
    await sleep(9);
    expect(await page.call("/me")).toBe(200);
    app.intercept(REFRESH, () => undefined);
    await sleep(9);
    const call = page.call("/me");
    await expect.poll(() => page.page.evaluate(() => navigator.locks.query().then(({ held }) => held?.length))).toBe(1);
    app.intercept(REFRESH, undefined);
    await sleep(9);
    // The time jumps while the timers fire: the refresh is given up before the jump or after it.
    expect([200, 401]).toContain(await call);
    await page.page.clock.fastForward(2000);
    expect(await page.call("/me")).toBe(200);
    expect(await page.eventTypes()).not.toContain("ended");
    await sleep(1000);
    expect(await page.call("/me")).toBe(401);
    expect((await page.eventTypes()).at(-1)).toBe("ended");
  });

  test("the device's clock is hours wrong, and is set right meanwhile", async () => {
    const { app, context, origin } = await start();
    await context.clock.install({ time: Date.now() - 5 * 3_600_000 });
    const page = await SessionPage.open(context, origin);
    await page.login();
    expect(await page.call("/me")).toBe(200);
    await page.page.clock.setSystemTime(Date.now() + 7 * 3_600_000);
    expect(await page.call("/me")).toBe(200);
    expect(app.count("POST", REFRESH)).toBe(0);
    app.clock.advance("2h");
    expect(await page.call("/me")).toBe(200);
    expect(app.count("POST", REFRESH)).toBe(1);
  });

  test("a sign-out that nobody answers says so, and forgets nothing", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.intercept("/signout", (_req, res) => void res.status(503).json({}));
    expect(await page.signOut()).toBe("unknown");
    await app.down();
    expect(await page.signOut()).toBe("unknown");
    expect(await page.exists()).toBe(true);
    await app.up();
    app.intercept("/signout", undefined);
    expect(await page.call("/me")).toBe(200);
  });
});

describe("requests that are not what they seem", () => {
  test("tokens go where the request goes: of another realm, of a polyfill, through a redirect", async () => {
    const { app, context, origin } = await start();
    const elsewhere = app.origin("elsewhere.localhost");
    const seen: string[] = [];
    app.intercept("/collect", (req, res) => {
      seen.push(`${req.method} ${req.get("anti-csrf") ?? ""} ${req.get("st-auth-mode") ?? ""}`);
      res.set({ "access-control-allow-origin": origin, "access-control-allow-credentials": "true" });
      res.set({
        "access-control-allow-headers": "anti-csrf,st-auth-mode",
        "access-control-expose-headers": "front-token",
      });
      res.set("front-token", "remove").json({});
    });
    app.intercept("/away", (_req, res) => res.redirect(302, `${elsewhere}/collect`));
    const page = await SessionPage.open(context, origin);
    await page.login();
    const outcomes = await page.page.evaluate(async (elsewhere) => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      const { Request: OtherRequest } = frame.contentWindow as unknown as typeof globalThis;
      class Polyfill {
        url = location.origin + "/me";
        toString = () => `${elsewhere}/collect`;
      }
      const requests = [new OtherRequest(`${elsewhere}/collect`), new Polyfill() as unknown as Request, "/away"];
      return Promise.all(
        requests.map((request) =>
          fetch(request).then(
            ({ status }) => status,
            ({ name }: Error) => name,
          ),
        ),
      );
    }, elsewhere);
    expect(outcomes.at(-1)).toBe("TypeError");
    expect(seen.filter((line) => line.startsWith("GET"))).toEqual(["GET  ", "GET  "]);
    expect([await page.exists(), await page.call("/me")]).toEqual([true, 200]);
  });

  test("a page that aborts while others refresh is not kept waiting, and the others go on", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.login();
    app.clock.advance("2h");
    let held = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => (held = resolve));
    let release = (): void => undefined;
    app.intercept(REFRESH, (_req, _res, next) => {
      release = next;
      held();
    });
    const calls = page.page.evaluate(async () => {
      const controller = new AbortController();
      const other = fetch("/me").then(({ status }) => status);
      const aborted = fetch("/me", { signal: controller.signal }).then(
        ({ status }) => status,
        (error: unknown) => String(error),
      );
      Object.assign(window, { other, abort: () => controller.abort("enough") });
      return aborted;
    });
    await isHeld;
    await page.page.evaluate(() => (window as unknown as { abort(): void }).abort());
    expect(await calls).toBe("enough");
    release();
    expect(await page.page.evaluate(() => (window as unknown as { other: Promise<number> }).other)).toBe(200);
  });

  test("after close nothing listens any more", async () => {
    const { context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    const left = await page.page.evaluate(async () => {
      const listening = new Set<string>();
      const { addEventListener } = globalThis;
      globalThis.addEventListener = ((type: string, listener: EventListener, options?: AddEventListenerOptions) => {
        listening.add(type);
        options?.signal?.addEventListener("abort", () => listening.delete(type));
        addEventListener.call(globalThis, type, listener, options);
      }) as typeof globalThis.addEventListener;
      // oxlint-disable-next-line typescript/no-implied-eval -- the test runner rewrites an import, and this one is the page's
      const { init } = (await new Function("return import('/sdk/index.js')")()) as {
        init(options: object): WebSession;
      };
      const session = init({ wrapFetch: false });
      const opened = [...listening];
      session.close();
      return [opened.toSorted(), [...listening]];
    });
    expect(left).toEqual([["online", "pageshow"], []]);
  });
});

describe("answers that arrive late", () => {
  /** Two tabs of which the first waits for the answer to a refresh, which the server has made and holds back. */
  const startRefresh = async () => {
    const { app, context, origin } = await start();
    const [page, other] = [await SessionPage.open(context, origin), await SessionPage.open(context, origin)];
    await page.login();
    await other.until("created");
    let isGivenUp = false;
    let release = (): void => undefined;
    let held = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => (held = resolve));
    app.intercept(REFRESH, (_req, res, next) => {
      const end = res.end.bind(res) as (...args: unknown[]) => typeof res;
      res.on("close", () => (isGivenUp = true));
      res.end = (...args: unknown[]) => {
        release = () => void end(...args);
        held();
        return res;
      };
      next();
    });
    const refreshing = page.attemptRefresh();
    await isHeld;
    app.intercept(REFRESH, undefined);
    return { page, other, refreshing, release: () => release(), isGivenUp: () => isGivenUp };
  };

  test("a refresh answered after the logout brings nothing back (next-auth#8897)", async () => {
    const { page, other, refreshing, release } = await startRefresh();
    expect(await other.signOut()).toBe("ended");
    await page.until("ended");
    release();
    expect(await refreshing).toBe("ended");
    expect([await page.exists(), await other.exists()]).toEqual([false, false]);
    expect(await page.eventTypes()).toEqual(["created", "ended"]);
    expect(await page.call("/me")).toBe(401);
  });

  test("a refresh of one user is given up when another one logs in, in another tab too: its cookies never come", async () => {
    const { page, other, refreshing, release, isGivenUp } = await startRefresh();
    await other.login({ userId: "u2" });
    await expect.poll(isGivenUp).toBe(true);
    release();
    expect(await refreshing).toBe("valid");
    expect([await page.userId(), await other.userId()]).toEqual(["u2", "u2"]);
    expect(await page.eventTypes()).toEqual(["created", "created"]);
    const me = await page.page.evaluate(async () => (await fetch("/me")).json() as Promise<{ userId: string }>);
    expect(me.userId).toBe("u2");
  });
});

describe("several pages", () => {
  test("a login and a logout in one tab are seen in the others within a second", async () => {
    const { context, origin } = await start();
    const pages: SessionPage[] = [];
    for (let tab = 0; tab < 4; tab++) pages.push(await SessionPage.open(context, origin));
    const [first, ...others] = pages as [SessionPage, ...SessionPage[]];
    await first.login();
    await first.signOut();
    const at = (await first.timeOf("ended"))!;
    for (const page of others) {
      await page.until("ended");
      expect(await page.events()).toEqual(await first.events());
      expect((await page.timeOf("ended"))! - at).toBeLessThan(1000);
    }
  });

  test("the service worker serves pages that have no SDK", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin);
    await page.startWorker();
    await page.login();
    const plain = await context.newPage();
    await plain.goto(`${origin}/blank`);
    app.clock.advance("2h");
    const status = await plain.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const request = new XMLHttpRequest();
          request.open("POST", "/me?through-worker");
          request.onload = () => resolve(request.status);
          request.send("body");
        }),
    );
    expect([status, app.count("POST", REFRESH)]).toEqual([200, 1]);
    await page.until("refreshed");
  });

  test("back from the cache of pages, a page knows what happened meanwhile", async () => {
    const own = await launchChromium({ without: ["--disable-back-forward-cache"] });
    const app = await startApplication();
    open.push(app, own);
    const context = await own.newContext();
    const page = await SessionPage.open(context, app.origin());
    await page.login();
    // The page tells the server itself: Playwright loses a page that comes back from the cache.
    await page.page.evaluate(() =>
      addEventListener("pageshow", ({ persisted }) => {
        const { session } = globalThis as unknown as { session: WebSession };
        if (persisted) session.onEvent(({ type }) => void navigator.sendBeacon(`/report?${type}`));
      }),
    );
    await page.page.goto(`${app.origin()}/blank`);
    // A message would take the page out of the cache.
    const other = await context.newPage();
    await other.addInitScript("delete globalThis.BroadcastChannel");
    await other.goto(pageUrl(app.origin()));
    expect(await (await new SessionPage(other).loaded()).signOut()).toBe("ended");
    void page.page.evaluate(() => history.back()).catch(() => undefined);
    await expect.poll(() => app.count("POST", "/report"), { timeout: 10_000 }).toBe(1);
  });
});

describe("several origins", () => {
  const cookies = { sameSite: "none", secure: true } as const;

  test("an API on another origin, with CORS: login, expiry, sign-out, anti-CSRF", async () => {
    const { app: api, context } = await startFor("app.site.localhost", { cookies });
    const page = await SessionPage.open(context, api.origin("app.site.localhost"), {
      apiDomain: api.origin("api.site.localhost"),
    });
    expect(await page.login()).toBe(200);
    api.clock.advance("2h");
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(api.count("POST", REFRESH, 200)).toBe(1);
    expect(await page.signOut()).toBe("ended");
    const stranger = await SessionPage.open(context, api.origin("evil.localhost"), {
      apiDomain: api.origin("api.site.localhost"),
    });
    expect(await stranger.login()).toBe(0);
  });

  test("two subdomains with one session: each finds it, and both go on after expiries", async () => {
    const { app, context } = await startFor("unused.localhost", { cookies: { ...cookies, domain: "site.localhost" } });
    const [a, b] = [
      await SessionPage.open(context, app.origin("a.site.localhost")),
      await SessionPage.open(context, app.origin("b.site.localhost")),
    ];
    await a.login();
    expect(await b.call("/me")).toBe(200);
    for (let round = 0; round < 3; round++) {
      app.clock.advance("2h");
      expect(await Promise.all([a.call("/me", { method: "POST" }), b.call("/me", { method: "POST" })])).toEqual([
        200, 200,
      ]);
    }
    expect([await a.userId(), await b.userId()]).toEqual(["u1", "u1"]);
    expect(await b.signOut()).toBe("ended");
    expect(await a.call("/me")).toBe(401);
    expect(await a.exists()).toBe(false);
  });

  test("a frame of another site: it works where cookies are allowed, and else ends without a loop", async () => {
    for (const blocked of [false, true]) {
      const { app, context } = await startFor("unused.localhost", { cookies, thirdPartyCookies: !blocked });
      const frame = await openFrame(context, app, {});
      expect(await frame.login()).toBe(200);
      app.clock.advance("2h");
      const statuses = [await frame.call("/me"), await frame.call("/me"), await frame.call("/me")];
      expect(statuses).toEqual(blocked ? [401, 401, 401] : [200, 200, 200]);
      expect(app.count("POST", REFRESH)).toBe(1);
      expect((await frame.eventTypes()).at(-1)).toBe(blocked ? "ended" : "refreshed");
    }
  });

  test("a frame without cookies works in header mode", async () => {
    const { app, context } = await startFor("unused.localhost", { cookies });
    const frame = await openFrame(context, app, { header: {} });
    await frame.login();
    app.clock.advance("2h");
    expect(await frame.call("/me", { method: "POST" })).toBe(200);
    expect(app.count("POST", REFRESH, 200)).toBe(1);
    expect(await context.cookies()).toEqual([]);
    expect(await frame.signOut()).toBe("ended");
  });

  test("a hostile page can neither refresh nor log out, whatever it sends (CVE-2022-41919)", async () => {
    const { app, context } = await startFor("unused.localhost", { cookies, thirdPartyCookies: true });
    const page = await SessionPage.open(context, app.origin("app.site.localhost"));
    await page.login();
    for (const evil of ["evil.localhost", "evil.site.localhost"]) {
      const hostile = await context.newPage();
      await hostile.goto(`${app.origin(evil)}/blank`);
      for (const path of [REFRESH, "/signout"]) {
        const url = app.origin("app.site.localhost") + path;
        await hostile.evaluate(async (url) => {
          const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"];
          const modes = ["no-cors", "cors"] as const;
          const common = { method: "POST", credentials: "include" } as const;
          const requests = [
            ...types.flatMap((type) =>
              modes.map((mode) => ({ ...common, mode, headers: { "content-type": type }, body: "{}" })),
            ),
            { ...common, headers: { "st-auth-mode": "cookie" } },
          ];
          await Promise.allSettled(requests.map((request) => fetch(url, request)));
          navigator.sendBeacon(url, "x");
        }, url);
        for (const enctype of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
          await hostile.goto(`${app.origin(evil)}/blank`);
          const [response] = await Promise.all([
            hostile.waitForNavigation(),
            hostile.evaluate(
              ({ url, enctype }) => {
                document.body.innerHTML = `<form method="post" action="${url}" enctype="${enctype}"><input name="a"></form>`;
                document.forms[0]!.submit();
              },
              { url, enctype },
            ),
          ]);
          expect(response?.status()).toBe(403);
        }
      }
    }
    expect(
      app.requests.filter(
        ({ method, path, status }) => method === "POST" && [REFRESH, "/signout"].includes(path) && status < 400,
      ),
    ).toEqual([]);
    expect(await page.call("/me", { method: "POST" })).toBe(200);
    expect(await page.eventTypes()).toEqual(["created"]);
  });

  test.each([
    ["token", "mallory"],
    ["header", "victim"],
    ["fetch-metadata", "victim"],
  ] as const)(
    "csrf %s: after a hostile page has posted a login, the session is that of %s",
    { timeout: 30_000 },
    async (csrf, userId) => {
      const { app, context } = await startFor("unused.localhost", { csrf, cookies, thirdPartyCookies: true });
      const page = await SessionPage.open(context, app.origin("app.site.localhost"));
      expect(await page.login({ userId: "victim" })).toBe(200);
      const hostile = await context.newPage();
      const url = `${app.origin("app.site.localhost")}/login`;
      for (const evil of ["evil.localhost", "evil.site.localhost"]) {
        await hostile.goto(`${app.origin(evil)}/blank`);
        const body = JSON.stringify({ userId: "mallory" });
        await hostile.evaluate(
          async ({ url, body }) => {
            const common = { method: "POST", mode: "no-cors", credentials: "include", body } as const;
            await fetch(url, { ...common, headers: { "content-type": "text/plain" } });
          },
          { url, body },
        );
        await Promise.all([
          hostile.waitForNavigation(),
          hostile.evaluate(
            ({ url, body }) => {
              document.body.innerHTML = `<form method="post" action="${url}" enctype="text/plain"><textarea></textarea></form>`;
              // One field of \`text/plain\` makes any JSON: its name, an equals sign, its value.
              const field = document.querySelector("textarea")!;
              [field.name, field.value] = [`${body.slice(0, -1)},"x":"`, '"}'];
              document.forms[0]!.submit();
            },
            { url, body },
          ),
        ]);
      }
      const me = await page.page.evaluate(async () => (await fetch("/me")).json() as Promise<{ userId: string }>);
      expect(me.userId).toBe(userId);
    },
  );

  test("a hostile page that asks the documented refresh without CORS neither refreshes nor clears anything", async () => {
    const { app, context } = await startFor("unused.localhost", { cookies, thirdPartyCookies: true });
    // Not the ready route, which refuses it before: the documented function by itself.
    app.intercept(REFRESH, (req, res, next) => {
      app.pawl.refreshSession(req, res).then(() => void res.json({}), next);
    });
    const page = await SessionPage.open(context, app.origin("app.site.localhost"));
    await page.login();
    const cookiesOf = async () => (await context.cookies()).map(({ name, value }) => `${name}=${value}`).toSorted();
    const before = await cookiesOf();
    const hostile = await context.newPage();
    await hostile.goto(`${app.origin("evil.localhost")}/blank`);
    const url = app.origin("app.site.localhost") + REFRESH;
    await hostile.evaluate(async (url) => {
      await fetch(url, { method: "POST", mode: "no-cors", credentials: "include" });
      await fetch(url, { method: "POST", mode: "no-cors", credentials: "omit" });
      await new Promise((resolve) => Object.assign(new Image(), { src: url, onerror: resolve }));
    }, url);
    expect([app.count("POST", REFRESH, 401), await cookiesOf()]).toEqual([2, before]);
    expect(await page.attemptRefresh()).toBe("valid");
    expect(await cookiesOf()).not.toEqual(before);
  });

  /** The application, with pages of another origin allowed. */
  const startFor = async (
    allowHost: string,
    { thirdPartyCookies = false, ...options }: ApplicationOptions & { readonly thirdPartyCookies?: boolean },
  ) => {
    const app = await startApplication({ ...options, allowHost });
    const context = thirdPartyCookies ? await launchChromiumProfile() : await browser.newContext();
    open.push(app, context);
    return { app, context };
  };

  const openFrame = async (
    context: BrowserContext,
    app: Application,
    options: Parameters<typeof pageUrl>[1],
  ): Promise<SessionPage> => {
    const page = await context.newPage();
    const inner = pageUrl(app.origin("widget.other.localhost"), options);
    await page.goto(`${app.origin("app.site.localhost")}/frame?src=${encodeURIComponent(inner)}`);
    const frame = page.frames().find((it) => it !== page.mainFrame());
    return new SessionPage(frame!).loaded();
  };
});

describe("header mode", () => {
  test("in memory: nothing is kept, the session is this page's alone", async () => {
    const { app, context, origin } = await start();
    const page = await SessionPage.open(context, origin, { header: {} });
    await page.login();
    app.clock.advance("2h");
    expect(await Promise.all([page.call("/me"), page.call("/me", { method: "POST" })])).toEqual([200, 200]);
    expect(app.count("POST", REFRESH)).toBe(1);
    expect(await context.cookies()).toEqual([]);
    const other = await SessionPage.open(context, origin, { header: {} });
    expect(await other.exists()).toBe(false);
    await page.page.reload();
    await page.loaded();
    expect([await page.exists(), await page.call("/me")]).toEqual([false, 401]);
  });

  test("kept on request: tabs share it, over reloads and expiries, one refresh each", async () => {
    const { app, context, origin } = await start();
    const options = { header: { persist: true } };
    const pages = [
      await SessionPage.open(context, origin, options),
      await SessionPage.open(context, origin, options),
    ] as const;
    await pages[0].login();
    await pages[1].until("created");
    for (let round = 1; round <= 5; round++) {
      app.clock.advance("2h");
      expect(await Promise.all(pages.map((page) => page.call("/me")))).toEqual([200, 200]);
      expect(app.count("POST", REFRESH, 200)).toBe(round);
      await pages[1].page.reload();
      await pages[1].loaded();
    }
    expect(await pages[1].signOut()).toBe("ended");
    await pages[0].until("ended");
    expect(await pages[0].call("/me")).toBe(401);
  });
});
