import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchChromium, launchChromiumProfile } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { certificate } from "./adapters/certificate.js";
import { backends } from "./backends.js";
import {
  ACCESS,
  type DeviceApplication,
  isTaken,
  letRunOut,
  LIFETIME,
  logInBound,
  MINUTE,
  openPage,
  REFRESH,
  send,
  startDeviceApplication,
} from "./device-application.js";

const ALICE = [200, "alice"] as const;
const REGISTRATION = { kind: "registration", status: 200 } as const;
const IN_ONE_TRIP = [{ kind: "refresh", status: 200 }] as const;
/** What the first refresh takes where it is late: the challenge that came with the registration is too old. */
const WITH_NEW_CHALLENGE = [{ kind: "refresh", status: 403 }, ...IN_ONE_TRIP] as const;
/** What others take when no answer has brought a challenge in the last minutes of the access token. */
const IN_TWO_TRIPS = [{ kind: "refresh without a proof", status: 403 }, ...IN_ONE_TRIP] as const;

let browser: Browser;
let thiefBrowser: Browser;
beforeAll(async () => {
  const launch = () => launchChromium({ deviceBinding: { certificate: certificate().cert } });
  [browser, thiefBrowser] = await Promise.all([launch(), launch()]);
});
afterAll(() => Promise.all([browser.close(), thiefBrowser.close()]));

const newContext = async (): Promise<BrowserContext> => {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context;
};

const begin = async (...options: Parameters<typeof startDeviceApplication>) => {
  const app = await startDeviceApplication(...options);
  const context = await newContext();
  const opened = await logInBound(context, app);
  expect(app.device.splice(0)).toEqual([REGISTRATION]);
  return { app, context, ...opened };
};

const cookieNames = async (context: BrowserContext): Promise<readonly string[]> =>
  (await context.cookies()).map(({ name }) => name).toSorted();

const sessionsOf = async ({ pawl }: DeviceApplication) => (await pawl.sessions.list("alice")).items;

/** What happened to the only session, as an operator is told it. */
const eventsOf = async (app: DeviceApplication): Promise<readonly string[]> => {
  const [session] = await sessionsOf(app);
  const { events } = (await app.pawl.sessions.explain(session!.handle))!;
  return events.map(({ type }) => type);
};

/** What a browser forgets a key with, and why; nothing where it keeps it. */
const endsOf = (events: Awaited<ReturnType<typeof openPage>>["events"]): readonly string[] =>
  events.flatMap(({ terminationEventDetails: ended }) => (ended === undefined ? [] : [ended.deletionReason]));

/** Opens a socket in a page. @returns what it is sent first, or the code it is closed with */
const firstOf = (page: Page): Promise<unknown> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const socket = new WebSocket(location.origin.replace("http", "ws"));
        socket.addEventListener("message", ({ data }) => resolve(data));
        socket.addEventListener("close", ({ code }) => {
          (globalThis as { closedWith?: number }).closedWith = code;
          resolve(code);
        });
      }),
  );
const closedWith = (page: Page) => page.evaluate(() => (globalThis as { closedWith?: number }).closedWith);

describe.each(backends)("%s", (name, openBackend) => {
  test("a login is bound, and all that two tabs ask at once waits for one refresh", async () => {
    const { app, context, page } = await begin({ openBackend });
    expect(await sessionsOf(app)).toMatchObject([{ bound: true }]);
    const { page: other } = await openPage(context, app);
    await letRunOut(app, page);
    const asked = [page, other].flatMap((tab) => [send(tab, "/me"), send(tab, "/me")]);
    expect(await Promise.all([...asked, send(page, "/save", "POST")])).toEqual([ALICE, ALICE, ALICE, ALICE, [200, ""]]);
    expect(app.device.splice(0)).toEqual(WITH_NEW_CHALLENGE);
    app.clock.advance(6 * MINUTE);
    expect(await send(page, "/me")).toEqual(ALICE);
    await letRunOut(app, page, 4 * MINUTE);
    await other.goto(`${app.origin}/me`);
    expect(await other.textContent("body")).toBe("alice");
    // In the process a challenge costs nothing, so that it is sent ahead.
    expect(app.device).toEqual(name === "embedded" ? IN_ONE_TRIP : IN_TWO_TRIPS);
    expect([await eventsOf(app), app.thefts]).toEqual([["device_bound"], []]);
  });

  test("a cookie jar that was copied gets nothing after the access token, and its owner notices nothing", async () => {
    const { app, context, page, events } = await begin({ openBackend });
    const thief = await thiefBrowser.newContext();
    onTestFinished(() => thief.close());
    const copyJar = async (): Promise<void> => thief.addCookies(await context.cookies());
    await copyJar();
    const { page: theirs } = await openPage(thief, app);
    // What remains: the rest of this access token. No key of the thief's is bound by it.
    for (const [path, method, text] of [
      ["/me", "GET", "alice"],
      ["/confirm", "POST", ""],
      ["/save", "POST", ""],
    ] as const)
      expect(await send(theirs, path, method)).toEqual([200, text]);
    /** Whatever a page can send, a fetch, a visit and a socket. @returns what came of each */
    const tryAll = async (): Promise<readonly unknown[]> => {
      const statuses: unknown[] = [];
      for (const path of ["/session/refresh", "/session/device", "/confirm", "/me"])
        statuses.push((await send(theirs, path, path === "/me" ? "GET" : "POST"))[0]);
      await theirs.goto(`${app.origin}/me`);
      const visited = await theirs.textContent("body");
      await theirs.goto(`${app.origin}/page`);
      return [...statuses, visited?.includes("UNAUTHORISED"), await firstOf(theirs)];
    };
    app.clock.advance(LIFETIME);
    for (const tries of ["before the owner has refreshed", "and after"]) {
      const copied = (await thief.cookies()).find(({ name: of }) => of === REFRESH)!;
      // The page that asks for a refresh with an outdated token is to ask again; no other gets as far.
      expect(await tryAll(), tries).toEqual([503, 503, 401, 401, true, 1006]);
      expect(await thief.cookies()).toEqual([copied]);
      await letRunOut(app, page, 0);
      expect(await send(page, "/me")).toEqual(ALICE);
      expect(await cookieNames(context)).toEqual([ACCESS, REFRESH]);
      await copyJar();
      app.clock.advance(LIFETIME);
    }
    expect([app.thefts, endsOf(events)]).toEqual([[], []]);
    expect(await sessionsOf(app)).toMatchObject([{ bound: true }]);
    expect(await eventsOf(app)).toEqual(["device_bound", "unproven_refresh"]);
  });
});

test("a refresh that is due soon is made while the page goes on", async () => {
  const { app, context, page, events } = await begin();
  await send(page, "/expire?seconds=60");
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  app.state.before = ({ url }) => (url === "/session/device" ? held : undefined);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect(app.device).toEqual([]);
  release();
  await expect.poll(() => events.some((it) => it.refreshEventDetails?.wasFullyProactiveRefresh)).toBe(true);
  expect(app.device).toEqual(IN_ONE_TRIP);
  const access = (await context.cookies()).find(({ name }) => name === ACCESS)!;
  expect(access.expires - Date.now() / 1000).toBeGreaterThan(9 * 60);
});

test("sockets wait for a refresh, stay open over others, and are closed when another tab signs out", async () => {
  const { app, context, page, events } = await begin();
  const { page: other } = await openPage(context, app);
  await letRunOut(app, page);
  expect(await firstOf(page)).toBe("alice");
  expect([app.device.splice(0), app.refusals]).toEqual([WITH_NEW_CHALLENGE, []]);
  await letRunOut(app, other);
  expect(await send(other, "/me")).toEqual(ALICE);
  expect(await closedWith(page)).toBe(undefined);
  expect((await send(other, "/signout", "POST"))[0]).toBe(200);
  await expect.poll(() => closedWith(page)).toBe(4401);
  expect([await cookieNames(context), await sessionsOf(app), endsOf(events)]).toEqual([[], [], []]);
  app.device.splice(0);
  // The browser still has the key: its next request asks once, and the key is gone.
  expect((await send(page, "/me"))[0]).toBe(401);
  expect(app.device.splice(0).map(({ status }) => status)).toEqual([200]);
  expect(endsOf(events)).toEqual(["ServerRequested"]);
  expect((await send(page, "/me"))[0]).toBe(401);
  expect(app.device).toEqual([]);
  expect(await send(page, "/login", "POST")).toEqual([200, ""]);
  await expect.poll(() => app.device).toEqual([REGISTRATION]);
  expect(await sessionsOf(app)).toMatchObject([{ bound: true }]);
});

test("a login whose registration failed goes on without a key, and a step-up binds it", async () => {
  const app = await startDeviceApplication();
  const context = await newContext();
  const { page, events } = await openPage(context, app);
  app.state.before = ({ url }, res) => (url === "/session/device" ? res.writeHead(503).end() : undefined);
  expect(await send(page, "/login", "POST")).toEqual([200, ""]);
  await expect.poll(() => app.device.splice(0)).toEqual([{ kind: "registration", status: 503 }]);
  app.state.before = undefined;
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect([app.device, (await sessionsOf(app))[0]?.bound]).toEqual([[], undefined]);
  expect(await send(page, "/confirm", "POST")).toEqual([200, ""]);
  await expect.poll(() => events.filter(isTaken)).toHaveLength(1);
  expect([app.device.splice(0), (await sessionsOf(app))[0]?.bound]).toEqual([[REGISTRATION], true]);
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  // It is bound once: another step-up asks for no key.
  expect(await send(page, "/confirm", "POST")).toEqual([200, ""]);
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect(app.device).toEqual([...WITH_NEW_CHALLENGE, ...IN_TWO_TRIPS]);
});

test("what a service worker hands on, and what it asks itself, waits for a refresh", async () => {
  const { app, page } = await begin();
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("/worker.js");
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller === null)
      await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
  });
  const asked = () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          navigator.serviceWorker.addEventListener("message", ({ data }) => resolve(data), { once: true });
          navigator.serviceWorker.controller!.postMessage("/me?");
        }),
    );
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  await letRunOut(app, page);
  expect(await asked()).toBe("alice");
  expect(app.device).toEqual([...WITH_NEW_CHALLENGE, ...IN_TWO_TRIPS]);
});

test("the browser SDK leaves a refresh to the browser, and is told what that has brought", async () => {
  const { app, page } = await begin();
  await page.addScriptTag({
    type: "module",
    content: `
      import { init } from "/web/index.js";
      globalThis.events = [];
      globalThis.session = init();
      session.onEvent(({ type }) => events.push(type));
      globalThis.isReady = true;`,
  });
  await page.waitForFunction("globalThis.isReady");
  const known = () =>
    page.evaluate(async () => {
      const { session, events } = globalThis as unknown as {
        readonly session: Record<"getUserId" | "attemptRefresh", () => Promise<unknown>>;
        readonly events: readonly string[];
      };
      return [await session.getUserId(), await session.attemptRefresh(), [...new Set(events)]];
    });
  // As after a login by a form: nothing is known of it until an answer tells.
  expect(await known()).toEqual([undefined, "valid", ["created"]]);
  expect([app.refreshes.splice(0), app.device]).toEqual([[200], []]);
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect([app.refreshes, app.device.splice(0)]).toEqual([[], WITH_NEW_CHALLENGE]);
  await letRunOut(app, page);
  expect(await known()).toEqual(["alice", "valid", ["created", "refreshed"]]);
  expect([app.refreshes.splice(0), app.device.splice(0)]).toEqual([[200], IN_TWO_TRIPS]);
  const [session] = await sessionsOf(app);
  await app.pawl.sessions.updatePayload(session!.handle, { role: "admin" });
  expect(await send(page, "/me")).toEqual(ALICE);
  expect(await page.evaluate("session.getPayload()")).toMatchObject({ role: "admin" });
  expect([app.refreshes, app.device]).toEqual([[], []]);
  expect(await known()).toEqual(["alice", "valid", ["created", "refreshed", "payload_changed"]]);
  expect([await eventsOf(app), app.thefts]).toEqual([["device_bound"], []]);
});

/** Follows a link on a page of another site: 127.0.0.1 is not localhost. */
const follow = async (page: Page, other: DeviceApplication, url: string): Promise<void> => {
  await page.goto(`${other.origin.replace("localhost", "127.0.0.1")}/page`);
  await page.evaluate((href) => {
    document.body.innerHTML = `<a href="${href}">x</a>`;
    document.querySelector("a")!.click();
  }, url);
};

test("a link of another site, for which no browser refreshes, leads to its page after one more load", async () => {
  const { app, page } = await begin();
  const other = await startDeviceApplication();
  await letRunOut(app, page);
  const statuses: number[] = [];
  page.on("response", (answer) => {
    if (answer.url() === `${app.origin}/me`) statuses.push(answer.status());
  });
  await follow(page, other, `${app.origin}/me`);
  await expect.poll(() => page.textContent("body")).toBe("alice");
  expect([statuses, app.device, await eventsOf(app)]).toEqual([[401, 200], WITH_NEW_CHALLENGE, ["device_bound"]]);
});

test("a login that comes from another site is bound, though the browser brings its key without a cookie", async () => {
  const [app, other] = [await startDeviceApplication(), await startDeviceApplication()];
  const page = await (await newContext()).newPage();
  await follow(page, other, `${app.origin}/callback`);
  await page.waitForURL(`${app.origin}/page`);
  await expect.poll(() => app.device[0]).toEqual(REGISTRATION);
  expect(await send(page, "/me")).toEqual(ALICE);
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect([await eventsOf(app), (await sessionsOf(app)).length]).toEqual([["device_bound"], 1]);
});

test("a browser refreshes for pages of the origins that are given", async () => {
  const other = await startDeviceApplication();
  const { app, page } = await begin({ origins: [other.origin] });
  await letRunOut(app, page);
  await page.goto(`${other.origin}/page`);
  const asked = (url: string) => fetch(url, { credentials: "include" }).then((answer) => answer.text());
  expect(await page.evaluate(asked, `${app.origin}/me`)).toBe("alice");
  expect(app.device).toEqual(WITH_NEW_CHALLENGE);
});

test("while the store is down nothing is known, and nothing is lost", async () => {
  const { app, context, page, events } = await begin();
  await letRunOut(app, page);
  app.backend.isDown = true;
  const [status, text] = await send(page, "/me");
  expect([status, JSON.parse(text).code, app.skipped]).toEqual([503, "UNKNOWN", ["server_error"]]);
  expect(app.device.splice(0).map((it) => it.status)).toEqual([503]);
  app.backend.isDown = false;
  expect(await send(page, "/me")).toEqual(ALICE);
  expect([await cookieNames(context), endsOf(events), await eventsOf(app)]).toEqual([
    [ACCESS, REFRESH],
    [],
    ["device_bound"],
  ]);
});

test("a browser keeps its key over a restart, and what it may not sign just now it says, and loses nothing", async () => {
  const profile = mkdtempSync(join(tmpdir(), "pawl-profile-"));
  onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 20 }));
  const app = await startDeviceApplication();
  const launch = async (): Promise<BrowserContext> => {
    const context = await launchChromiumProfile({
      profile,
      deviceBinding: { certificate: certificate().cert, hasQuota: true },
    });
    onTestFinished(() => context.close());
    return context;
  };
  const first = await launch();
  await logInBound(first, app);
  app.device.splice(0);
  await first.close();
  const context = await launch();
  const { page, events } = await openPage(context, app);
  await letRunOut(app, page);
  expect(await send(page, "/me")).toEqual(ALICE);
  expect(app.device.splice(0)).toEqual(IN_TWO_TRIPS);
  const answers: (readonly [number, string])[] = [];
  while (app.skipped.length === 0 && answers.length < 10) {
    await letRunOut(app, page);
    answers.push(await send(page, "/me"));
  }
  // Six signatures in nine minutes.
  expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 503]);
  expect([app.skipped, endsOf(events), await cookieNames(context)]).toEqual([["quota_exceeded"], [], [REFRESH]]);
  expect(await eventsOf(app)).toEqual(["device_bound"]);
});
