import { afterEach, describe, expect, test } from "vitest";
import { createPawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { modes, type Running } from "./modes.js";
import { startWebApp, type WebApp } from "./web-app.js";

const UNAUTHORISED = 2000;

const open: (Running | WebApp)[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

describe.each(modes)("$name: a login in a browser that has a session", ({ start }) => {
  /** Alice is logged in, and Bob logs in with the same browser. */
  const begin = async () => {
    const running = await start();
    const app = await startWebApp(running.pawl);
    open.push(running, app);
    const browser = new Browser(app);
    const alice = (await browser.login("alice")).body as { handle: string };
    const before = browser.cookieHeader;
    const login = async () => (await browser.login("bob")).body as { handle: string };
    return { ...running, app, browser, alice, before, login };
  };

  test.each(["bob", "alice"])("ends that session, and no other: %s", async (userId) => {
    const { pawl, app, browser, alice } = await begin();
    const elsewhere = new Browser(app);
    const other = (await elsewhere.login("alice")).body as { handle: string };
    const made = (await browser.login(userId)).body as { handle: string };
    expect(await pawl.sessions.get(alice.handle)).toBeUndefined();
    expect((await pawl.sessions.explain(alice.handle)).summary).toContain("by a login in the same browser");
    expect((await browser.send("/me")).body).toMatchObject({ handle: made.handle, userId });
    expect((await elsewhere.send("/me")).body).toMatchObject({ handle: other.handle });
  });

  test.each([
    ["garbage", "sAccessToken=garbage; sIdRefreshToken=x"],
    ["no cookie of ours", "theme=dark"],
  ])("that shows %s ends nothing", async (_, cookie) => {
    const { browser, pawl, alice } = await begin();
    await browser.send("/login", { method: "POST", body: { userId: "bob" }, cookie });
    expect(await pawl.sessions.get(alice.handle)).toBeDefined();
  });

  test("what was sent before it is refused, and clears none of the new cookies", async () => {
    const { browser, before, login, pawl } = await begin();
    const request = { headers: { cookie: before } };
    const answer = new Map<string, unknown>();
    const res = { getHeader: () => undefined, setHeader: (name: string, value: unknown) => answer.set(name, value) };
    const found = await pawl.getSession(request, res, false);
    const { handle } = await login();
    for (const [method, path] of [
      ["GET", "/me"],
      ["GET", "/data"],
      ["POST", "/session/refresh"],
    ] as const) {
      const late = await browser.send(path, { method, cookie: before });
      expect([path, late.body, late.setCookie]).toEqual([path, expect.objectContaining({ errType: UNAUTHORISED }), []]);
      expect(late.headers["id-refresh-token"]).toBeUndefined();
    }
    await expect(found.getSessionData()).rejects.toMatchObject({ errType: UNAUTHORISED });
    expect([...answer]).toEqual([]);
    expect((await browser.send("/me")).body).toMatchObject({ handle, userId: "bob" });
    expect((await browser.refresh()).body).toEqual({ handle });
  });

  test("whose answer was lost: the dead cookies are cleared once nothing can be on its way any more", async () => {
    const { browser, before, login, clock } = await begin();
    await login();
    clock.advance("61s");
    for (const [method, path] of [
      ["GET", "/me"],
      ["POST", "/session/refresh"],
    ] as const) {
      const answer = await browser.send(path, { method, cookie: before });
      expect([path, answer.body.errType, answer.setCookie.length > 0]).toEqual([path, UNAUTHORISED, true]);
    }
  });

  test("in header mode ends the session whose token it carries", async () => {
    const { app, pawl } = await begin();
    const page = new Browser(app);
    const login = { method: "POST", body: { userId: "carol" } };
    const first = await page.send("/login", { ...login, headers: { "st-auth-mode": "header" } });
    const authorization = `Bearer ${String(first.headers["st-access-token"])}`;
    const second = await page.send("/login", { ...login, headers: { "st-auth-mode": "header", authorization } });
    expect(await pawl.getAllSessionHandlesForUser("carol")).toEqual([(second.body as { handle: string }).handle]);
  });
});

test("a former session that cannot be ended is a warning, and the login stands", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): unknown => warnings.push(warning);
  process.on("warning", onWarning);
  const { MemoryStorage } = await import("@pawl/storage");
  const storage = new MemoryStorage();
  storage.revokeSessions = async () => {
    throw new Error("no revocation");
  };
  const pawl = createPawl({ storage, cookies: { secure: false, sameSite: "lax" } });
  const app = await startWebApp(pawl);
  const browser = new Browser(app);
  await browser.login("alice");
  expect((await browser.login("bob")).status).toBe(200);
  expect((await browser.send("/me")).body).toMatchObject({ userId: "bob" });
  await expect.poll(() => warnings.map(({ message }) => message)).toContain("no revocation");
  process.off("warning", onWarning);
  await app.close();
  await pawl.close();
});
