import { createServer } from "node:http";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { root, textOf, typeCurlLines } from "./guide-page.js";
import { browserAt, serving } from "./guide-program.js";
import { SECRET, startProvider } from "./identity-provider/provider.js";

/** Where both our packages and those of the pages' programs are found, once `npm test` has installed them. */
const place = join(root, "examples/login");

describe.skipIf(!existsSync(join(place, "node_modules")))("the guide's logins", () => {
  let folder = "";
  beforeEach(() => {
    mkdirSync(join(place, "artifacts"), { recursive: true });
    folder = mkdtempSync(join(place, "artifacts/guide-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  const newPage = async () => {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    return { context, page: await context.newPage() };
  };

  /** Writes a file as a page prints it. */
  const print = (page: string, fence: string): string => {
    const file = join(folder, fence.split(" ")[1] ?? "");
    writeFileSync(file, textOf(page, fence));
    return file;
  };

  test("login-password.md: what it says to type prints what it says, and the sixth try has to wait", () =>
    serving(print("login-password.md", "js password.mjs"), async (origin) => {
      const { printed, told } = typeCurlLines("login-password.md", "sh", { folder, origin });
      expect(printed).toEqual(told);
      const post = (path: string, body: object, more: Record<string, string> = {}) =>
        fetch(origin + path, {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "content-type": "application/json", ...more },
        });
      const right = { name: "alice", password: "four words and more" };
      const foreign = { origin: "http://127.0.0.1:1", "sec-fetch-site": "cross-site" };
      expect((await post("/login", right, foreign)).status).toBe(403);
      expect((await post("/register", right)).status).toBe(409);
      expect((await post("/register", { name: "bob", password: "short" })).status).toBe(400);
      for (let tries = 0; tries < 5; tries += 1)
        expect((await post("/login", { ...right, password: "wrong" })).status).toBe(401);
      const sixth = await post("/login", right);
      expect([sixth.status, sixth.headers.getSetCookie()]).toEqual([429, []]);
      expect(Number(sixth.headers.get("retry-after"))).toBeGreaterThan(60);
    }));

  test("login-passkey.md: a passkey makes an account and logs in, and its answer counts once", () => {
    print("login-passkey.md", "html page.html");
    return serving(print("login-passkey.md", "js passkey.mjs"), async (origin) => {
      const { context, page } = await newPage();
      const devices = await context.newCDPSession(page);
      await devices.send("WebAuthn.enable");
      const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true } as const;
      await devices.send("WebAuthn.addVirtualAuthenticator", {
        options: { ...options, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      });
      await page.goto(origin);
      const click = async (name: string, says: string) => {
        await page.getByRole("button", { name }).click();
        await page.locator("output", { hasText: says }).waitFor();
      };
      await page.getByLabel("Name").fill("alice");
      await click("Make an account", '{"name":"alice"}');
      await click("Log out", "UNAUTHORISED");
      const sent = page.waitForRequest(`${origin}/login`);
      await click("Log in", '{"name":"alice"}');
      const again = await page.request.post(`${origin}/login`, { data: (await sent).postDataJSON() as object });
      expect(again.status()).toBe(403);
    });
  });

  test("login-openid-connect.md: a login there is one here, in the browser that began it, once", async () => {
    const provider = await startProvider();
    onTestFinished(() => provider.close());
    const place = createServer().listen(0);
    await once(place, "listening");
    const { port } = place.address() as AddressInfo;
    place.close();
    await once(place, "close");
    const own = `http://localhost:${port}`;
    const logoutUri = `${own}/session/backchannel-logout`;
    provider.serve([{ id: "my-app", redirectUri: `${own}/callback`, logoutUri }]);
    const env = { ISSUER: provider.issuer, CLIENT_SECRET: SECRET, PORT: String(port) };
    await serving(
      print("login-openid-connect.md", "js openid.mjs"),
      async (origin) => {
        const { page } = await newPage();
        const came = page.waitForRequest(`${origin}/callback?*`);
        await page.goto(`${origin}/login`);
        await page.locator("input[name=login]").fill("alice");
        await page.locator("input[name=password]").fill("any");
        await page.locator("button[type=submit]").click();
        await page.getByRole("button", { name: "Continue" }).click();
        await page.waitForURL(`${origin}/me`);
        expect(await page.locator("body").textContent()).toBe('{"name":"alice"}');

        const { pathname, search } = new URL((await came).url());
        const other = browserAt(origin);
        expect(await other.call("GET", pathname + search)).toMatchObject({ status: 403 });
        expect((await page.goto(origin + pathname + search))?.status()).toBe(403);
        expect((await page.goto(`${origin}/me`))?.status()).toBe(200);

        await page.goto(`${provider.issuer}/session/end`);
        await page.getByRole("button", { name: "Yes, sign me out" }).click();
        await page.waitForLoadState();
        expect((await page.goto(`${origin}/me`))?.status()).toBe(401);
      },
      { env },
    );
  });
});
