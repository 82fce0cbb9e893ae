import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

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
    once(child.stdout, "data").then(([chunk]) => `http://localhost:${/\d+$/m.exec(String(chunk))?.[0]}`),
    ended.then(() => Promise.reject(new Error(problems))),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await stop();
});

let page: Page;
let seen: string[];
beforeEach(async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  page = await context.newPage();
  seen = [];
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (url.pathname !== "/favicon.ico")
      seen.push(`${response.request().method()} ${url.pathname} ${response.status()}`);
  });
});
afterEach(() => page.context().close());

const title = () => page.locator("h1").textContent();
const login = async () => {
  await page.goto(origin);
  await page.getByRole("button").click();
  expect(await title()).toBe("Hello Ada");
  seen.length = 0;
};

test("a browser without scripts loses its access token and notices nothing, and logs out", async () => {
  await login();
  await page.context().clearCookies({ name: "pawl-access" });
  await page.getByRole("link").click();
  expect([await title(), page.url(), seen]).toEqual(["Orders", `${origin}/orders?page=2`, ["GET /orders 200"]]);
  expect(await page.context().cookies()).toHaveLength(2);

  await page.goto(origin);
  await page.getByRole("button").click();
  expect([await title(), await page.context().cookies()]).toEqual(["Welcome", []]);
  seen.length = 0;
  await page.goto(`${origin}/orders`);
  expect(seen).toEqual(["GET /orders 303", "GET / 200"]);
});

test("a page that is sent while it is made gets its new cookies first, and comes back to where it was", async () => {
  await login();
  await page.context().clearCookies({ name: "pawl-access" });
  await page.goto(`${origin}/report?year=2026`);
  expect([await title(), page.url()]).toEqual(["Report", `${origin}/report?year=2026`]);
  expect(seen.filter((line) => !line.includes("/session/refresh"))).toEqual(["GET /report 303", "GET /report 200"]);
  seen.length = 0;
  await page.reload();
  expect(seen).toEqual(["GET /report 200"]);
});

test("reading a session changes nothing", async () => {
  await login();
  const before = await page.context().cookies();
  const cookie = before.map(({ name, value }) => `${name}=${value}`).join("; ");
  const answer = await fetch(`${origin}/report`, { headers: { cookie, "sec-purpose": "prefetch" } });
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
});

test("a session that has ended elsewhere leads to the login, without its cookies", async () => {
  await login();
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  await fetch(`${origin}/leave`, { method: "POST", headers: { cookie } });
  await page.context().clearCookies({ name: "pawl-access" });
  await page.goto(`${origin}/report`);
  expect(await title()).toBe("Welcome");
  expect(await page.context().cookies()).toEqual([]);
});
