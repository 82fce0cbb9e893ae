import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPawl } from "../src/index.js";
import { renderedApplication } from "./rendered-application.js";

/** A host below a domain, so that cookies of the domain reach it as well. */
const HOST = "app.example.test";
const SESSION_COOKIES = /^s(Access|Refresh|IdRefresh)Token$/;

let browser: Browser;
let origin = "";
let stop = async (): Promise<void> => undefined;
beforeAll(async () => {
  browser = await launchChromium({ flags: [`--host-resolver-rules=MAP ${HOST} 127.0.0.1`] });
  const cookies = { secure: false, sameSite: "lax" } as const;
  // Forms send no headers of their own: the browser says where a request comes from.
  const pawl = createPawl({ storage: "memory:", csrf: "fetch-metadata", cookies });
  const server = renderedApplication(pawl).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://${HOST}:${(server.address() as AddressInfo).port}`;
  stop = async () => {
    server.close();
    await pawl.close();
  };
});
afterAll(async () => {
  await browser?.close();
  await stop();
});

const sessionCookies = async (context: BrowserContext) =>
  (await context.cookies()).filter(({ name }) => SESSION_COOKIES.test(name));

test("a browser without scripts logs in, loses its access token, goes on where it was, and logs out", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const seen: string[] = [];
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.pathname !== "/favicon.ico")
      seen.push(`${response.request().method()} ${url.pathname} ${response.status()}`);
  });
  const title = () => page.locator("h1").textContent();
  await page.goto(origin);
  expect([await title(), seen]).toEqual(["Welcome", ["GET / 200"]]);
  await page.getByRole("button").click();
  expect(await title()).toBe("Hello Ada");

  // The browser drops it by itself when its time has come.
  await context.clearCookies({ name: "sAccessToken" });
  seen.length = 0;
  await page.getByRole("link").click();
  expect([await title(), page.url()]).toEqual(["Orders", `${origin}/orders?page=2`]);
  // The second time it shows that it keeps what it was given.
  const refresh = "GET /session/refresh 303";
  expect(seen).toEqual(["GET /orders 303", refresh, refresh, "GET /orders 200"]);

  await page.goto(origin);
  await page.getByRole("button").click();
  expect(await title()).toBe("Welcome");
  expect(await sessionCookies(context)).toEqual([]);
  seen.length = 0;
  await page.goto(`${origin}/orders`);
  expect(seen).toEqual(["GET /orders 303", "GET / 200"]);
  await context.close();
});

test("reading a session changes nothing: a prefetch of every page sets no cookie, and makes no token old", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  await page.getByRole("button").click();
  const before = await context.cookies();
  const cookie = before.map(({ name, value }) => `${name}=${value}`).join("; ");
  for (const path of ["/", "/orders", "/orders?page=3"]) {
    const answer = await fetch(origin.replace(HOST, "127.0.0.1") + path, {
      headers: { cookie, "sec-purpose": "prefetch" },
    });
    expect(answer.headers.getSetCookie()).toEqual([]);
  }
  expect(await context.cookies()).toEqual(before);
  await context.close();
});

test("a session whose refresh token is gone ends in one round, without a loop", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  await page.getByRole("button").click();
  await context.clearCookies({ name: /sAccessToken|sRefreshToken/ });
  await page.goto(`${origin}/orders`);
  expect(await page.locator("h1").textContent()).toBe("Welcome");
  expect(await sessionCookies(context)).toEqual([]);
  await context.close();
});

test("cookies of a domain that was dropped are cleared there, once their session has ended", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(origin);
  await page.getByRole("button").click();
  const session = await sessionCookies(context);
  await page.getByRole("button").click();
  await context.clearCookies();
  const { hostname } = new URL(origin);
  const left = session.filter(({ name }) => name !== "sAccessToken");
  await context.addCookies(left.map((cookie) => ({ ...cookie, domain: hostname.replace("app", "") })));
  await page.goto(`${origin}/orders`);
  expect(await page.locator("h1").textContent()).toBe("Welcome");
  expect(await sessionCookies(context)).toEqual([]);
  await context.close();
});

test.each(["/", "/orders"])(
  "an id cookie that a host beside this one planted at %s sends nobody round in circles",
  async (path) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await context.addCookies([{ name: "sIdRefreshToken", value: "x", domain: ".example.test", path }]);
    await page.goto(`${origin}/orders`);
    expect(await page.locator("h1").textContent()).toBe("Welcome");
    await page.getByRole("button").click();
    expect(await page.locator("h1").textContent()).toBe("Hello Ada");
    await context.close();
  },
);
