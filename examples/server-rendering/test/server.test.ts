import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

const program = fileURLToPath(new URL("../server.mjs", import.meta.url));

let browser: Browser;
let origin = "";
let stop = async (): Promise<void> => undefined;
beforeAll(async () => {
  browser = await launchChromium();
  const child = spawn(process.execPath, [program], { env: { ...process.env, PORT: "0", STORAGE: "memory:" } });
  const ended = once(child, "exit");
  stop = async () => {
    child.kill();
    await ended;
  };
  let problems = "";
  child.stderr.on("data", (chunk) => (problems += String(chunk)));
  origin = await Promise.race([
    once(child.stdout, "data").then(([chunk]) => /http:\S+/.exec(String(chunk))?.[0] ?? ""),
    ended.then(() => Promise.reject(new Error(problems))),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await stop();
});

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
  expect(seen).toEqual(["GET /orders 303", "GET /session/refresh 303", "GET /orders 200"]);

  await page.goto(origin);
  await page.getByRole("button").click();
  expect(await title()).toBe("Welcome");
  expect(await context.cookies()).toEqual([]);
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
  for (const path of ["/", "/orders", "/orders?page=3"]) {
    const answer = await context.request.get(origin + path, { headers: { "sec-purpose": "prefetch" } });
    expect(answer.headers()["set-cookie"]).toBeUndefined();
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
  expect(await context.cookies()).toEqual([]);
  await context.close();
});
