import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HOUR, logIn, startApplication } from "./plain-application.js";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

test("a page without a script of ours stays logged in over two hundred expiries in five tabs", async () => {
  const app = await startApplication();
  const context = await browser.newContext();
  const pages = await Promise.all(Array.from({ length: 5 }, () => context.newPage()));
  const [first] = pages;
  await logIn(first!, app.origin);
  await Promise.all(pages.map((page) => page.goto(app.origin)));
  const ask = () => fetch("/me").then((answer) => answer.status);
  for (let round = 0; round < 200; round++) {
    app.clock.advance(1.1 * HOUR);
    // Each tab asks twice at once, and one loads its page anew.
    const statuses = await Promise.all(pages.flatMap((page) => [page.evaluate(ask), page.evaluate(ask)]));
    expect(statuses).toEqual(Array.from({ length: 10 }, () => 200));
    if (round % 20 === 0) await first!.reload();
    expect(await first!.title()).toBe("alice");
  }
  expect(app.thefts).toEqual([]);
  expect((await app.pawl.sessions.list("alice")).items).toHaveLength(1);
  await context.close();
  await app.close();
}, 120_000);

test("a page of another site can neither act for a user nor log somebody in", async () => {
  const app = await startApplication();
  const context = await browser.newContext();
  const page = await context.newPage();
  await logIn(page, app.origin);
  // Another site for the browser: 127.0.0.1 is not localhost.
  const evil = await startApplication();
  const site = evil.origin.replace("localhost", "127.0.0.1");
  await page.goto(`${site}/`);
  const form = `<form method="post" action="${app.origin}/login"><input name="user" value="mallory"></form>`;
  const posted = page.waitForResponse(`${app.origin}/login`);
  await page.evaluate((html) => {
    document.body.innerHTML = html;
    document.querySelector("form")!.submit();
  }, form);
  expect((await posted).status()).toBe(403);
  await page.waitForURL(`${app.origin}/login`);
  await page.goto(`${site}/`);
  const attack = (url: string) =>
    fetch(url, { method: "DELETE", mode: "no-cors", credentials: "include" }).catch(() => undefined);
  await page.evaluate(attack, `${app.origin}/me`);
  for (const path of ["/session/refresh", "/signout"])
    await page.evaluate(
      (url) => fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }),
      app.origin + path,
    );
  await page.goto(app.origin);
  expect(await page.title()).toBe("alice");
  await context.close();
  await app.close();
  await evil.close();
});
