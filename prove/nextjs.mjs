// The example for Next.js, built and driven in Chromium: what its pages promise.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@pawl/test-servers";
import { launchChromium } from "@pawl/test-servers/chromium";

const example = new URL("../examples/nextjs/", import.meta.url).pathname;
const next = join(example, "node_modules/next/dist/bin/next");

/** Asks until it is answered. */
const untilUp = async (/** @type {string} */ url) => {
  for (const started = Date.now(); Date.now() - started < 60_000;) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
};

/** @type {import("./proofs.mjs").Run} */
export const nextJs = async (rounds) => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-nextjs-"));
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", STORAGE: `sqlite:${join(folder, "sessions.db")}` };
  const { status, stderr } = spawnSync(process.execPath, [next, "build"], { cwd: example, env, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const port = await freePort();
  const server = spawn(process.execPath, [next, "start", "-p", String(port), "-H", "127.0.0.1"], {
    cwd: example,
    env,
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  const browser = await launchChromium();
  let failures = 0;
  let count = 0;
  /** @type {Check} */
  const check = (what, is) => {
    count += 1;
    if (is) return;
    failures += 1;
    console.error(`nextjs: ${what}`);
  };
  try {
    const origin = `http://localhost:${port}`;
    await untilUp(origin);
    for (let round = 0; round < rounds; round += 1) await drive(browser, origin, check);
  } finally {
    await browser.close();
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  return { count, failures, note: "Next.js built and started, pages in two tabs" };
};

/**
 * @typedef {(what: string, is: boolean) => void} Check
 * @typedef {import("playwright-core").Page} Page
 */

/** @type {(browser: import("playwright-core").Browser, origin: string, check: Check) => Promise<void>} */
const drive = async (browser, origin, check) => {
  const context = await browser.newContext();
  const [page, other] = [await context.newPage(), await context.newPage()];
  /** @type {string[]} */
  const refreshes = [];
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === "/session/refresh") refreshes.push(`${response.request().method()} ${response.status()}`);
  });
  const open = async (/** @type {Page} */ tab) => {
    await tab.goto(origin);
    await tab.waitForFunction(() => "session" in globalThis);
  };
  const shows = (/** @type {Page} */ tab, /** @type {string} */ text, element = "h1") =>
    tab
      .locator(element)
      .filter({ hasText: text })
      .waitFor()
      .then(
        () => true,
        () => false,
      );
  await open(page);
  await open(other);
  check("a stranger is welcomed, without a refresh", (await shows(page, "Welcome")) && refreshes.length === 0);
  await page.getByRole("button", { name: "Log in" }).click();
  check("the page follows the login", await shows(page, "Hello Ada"));
  check("so does another tab", await shows(other, "Hello Ada"));

  await context.clearCookies({ name: "sAccessToken" });
  await page.getByRole("button", { name: "Call" }).click();
  check("a call refreshes once", (await shows(page, "Ada", "output")) && refreshes.join() === "POST 200");

  await context.clearCookies({ name: "sAccessToken" });
  refreshes.length = 0;
  await page.goto(`${origin}/orders`);
  check("a page is rendered after a refresh on the way", await shows(page, "Orders of Ada"));
  check("by one redirect, back to where it was", refreshes.join() === "GET 303" && page.url() === `${origin}/orders`);

  await open(page);
  await page.getByRole("button", { name: "Log out" }).click();
  check("the page follows the logout", await shows(page, "Welcome"));
  check("so does another tab", await shows(other, "Welcome"));
  check("no cookie is left", (await context.cookies()).length === 0);
  await context.close();
};
