import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "@pawl/test-servers";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HOUR, logIn, startApplication } from "./plain-application.js";

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), "pawl-sibling-"));
beforeAll(async () => {
  browser = await launchChromium({ flags: ["--host-resolver-rules=MAP *.pawl.test 127.0.0.1"] });
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});
const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});
const newContext = async (): Promise<BrowserContext> => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  open.push(context);
  return context;
};
const start = async (...options: Parameters<typeof startApplication>) => {
  const app = await startApplication(...options);
  open.push(app);
  return app;
};
const cookieNames = async (context: BrowserContext): Promise<readonly string[]> =>
  (await context.cookies()).map(({ name }) => name).toSorted();

describe.each(["lax", "strict"] as const)("a page of another site, with cookies of SameSite=%s", (sameSite) => {
  /** A browser in which Alice is logged in, and a page of another site: 127.0.0.1 is not localhost. */
  const begin = async () => {
    const app = await start({ cookies: { sameSite } });
    const context = await newContext();
    const page = await context.newPage();
    await logIn(page, app.origin);
    const evil = await start();
    const lure = async (html: string): Promise<void> => {
      await page.goto(`${evil.origin.replace("localhost", "127.0.0.1")}/`);
      await page.evaluate((text) => void (document.body.innerHTML = text), html);
    };
    /** Follows a link, or sends a form, of the other site's page. */
    const attack = async (html: string, path: string): Promise<number> => {
      await lure(html);
      const answered = page.waitForResponse((answer) => answer.url().startsWith(app.origin + path));
      await page.click("[data-lure]");
      const status = (await answered).status();
      await page.waitForLoadState();
      return status;
    };
    const link = (path: string) => attack(`<a data-lure href="${app.origin}${path}">x</a>`, path);
    const form = (path: string) =>
      attack(`<form method="post" action="${app.origin}${path}"><button data-lure>x</button></form>`, path);
    return { app, context, page, link, form };
  };
  const titleAt = async (page: Page, url: string): Promise<string> => {
    await page.goto("about:blank");
    await page.goto(url);
    return page.title();
  };

  test("cannot log her out by a link or a form to the refresh, to a route that refreshes, or to the sign-out", async () => {
    const { app, context, page, link, form } = await begin();
    for (const wait of [0, 2 * HOUR]) {
      app.clock.advance(wait);
      expect(await link("/session/refresh?return=/")).toBe(303);
      expect(await form("/session/refresh")).toBe(403);
      expect([401, 403]).toContain(await form("/me"));
      await form("/signout");
      expect(await titleAt(page, `${app.origin}/`)).toBe("alice");
    }
    expect(await cookieNames(context)).toEqual(["pawl-access", "pawl-refresh"]);
    expect(app.thefts).toEqual([]);
  }, 120_000);

  test("cannot have her cookies cleared when her session has ended, nor send her round in circles", async () => {
    const { app, context, page, link, form } = await begin();
    await app.pawl.sessions.endUser("alice");
    for (const wait of [0, 2 * HOUR]) {
      app.clock.advance(wait);
      await link("/session/refresh?return=/rendered");
      expect(await page.title()).toBe("nobody");
      await link("/rendered");
      expect(await page.title()).toBe("nobody");
      await form("/session/refresh");
      expect(await cookieNames(context)).toEqual(["pawl-access", "pawl-refresh"]);
    }
    expect(await titleAt(page, `${app.origin}/rendered`)).toBe("nobody");
    expect(await cookieNames(context)).toEqual([]);
  }, 120_000);
});

test("a page that cannot set cookies shows Alice after her access token has run out, at its own address", async () => {
  const app = await start();
  const page = await (await newContext()).newPage();
  await logIn(page, app.origin);
  for (let round = 0; round < 3; round++) {
    app.clock.advance(2 * HOUR);
    await page.goto(`${app.origin}/rendered?a=%20b#c`);
    expect([await page.title(), page.url()]).toEqual(["alice", `${app.origin}/rendered?a=%20b#c`]);
  }
});

test("a sibling host's cookies are never taken for the session, whether somebody is logged in or not", async () => {
  const certificate = makeCertificate(["DNS:app.pawl.test", "DNS:evil.pawl.test"], { folder, account: "root" });
  let planted: readonly string[] = [];
  const app = await start({
    certificate: { key: readFileSync(certificate.key, "utf8"), cert: readFileSync(certificate.cert, "utf8") },
    before(req, res, next) {
      if (!req.headers.host?.startsWith("evil.")) return next();
      res.setHeader("Set-Cookie", planted);
      res.type("html").send("<title>evil</title>");
    },
  });
  const mallory = await app.pawl.tokens.create({ userId: "mallory" });
  planted = ["__Host-", "__Secure-", ""].flatMap((prefix) =>
    ["/", "/rendered"].flatMap((path) => [
      `${prefix}pawl-access=${mallory.accessToken}; Domain=pawl.test; Path=${path}; Secure`,
      `${prefix}pawl-refresh=${mallory.refreshToken}; Domain=pawl.test; Path=${path}; Secure`,
    ]),
  );
  const [own, evil] = ["app", "evil"].map((name) => `https://${name}.pawl.test:${app.port}`) as [string, string];
  const context = await newContext();
  const page = await context.newPage();
  const visit = async (path: string): Promise<string> => {
    await page.goto(own + path);
    return page.title();
  };
  await page.goto(evil);
  // Of the guarded names the browser has taken none.
  expect(new Set(await cookieNames(context))).toEqual(
    new Set(["pawl-access", "pawl-refresh", "__Secure-pawl-access", "__Secure-pawl-refresh"]),
  );
  expect([await visit("/"), await visit("/rendered")]).toEqual(["nobody", "nobody"]);
  await logIn(page, own);
  expect((await cookieNames(context)).filter((name) => name.startsWith("__Host-"))).toHaveLength(2);
  await page.goto(evil);
  for (const wait of [0, 2 * HOUR, 2 * HOUR]) {
    app.clock.advance(wait);
    expect([await visit("/rendered"), await visit("/")]).toEqual(["alice", "alice"]);
  }
}, 120_000);
