import { findProgram } from "@pawl/test-servers";
import { launch, type Page } from "puppeteer-core";
import { startApplication } from "../../../packages/web/test/application.js";
import { pageUrl } from "../../../packages/web/test/page.js";

interface PageGlobals {
  readonly session: { signOut(): Promise<string>; getUserId(): Promise<string | undefined> };
  readonly events: readonly { readonly type: string }[];
  readonly loaded?: boolean;
  call(path: string, init?: object): Promise<number>;
}
declare const window: PageGlobals;

/**
 * The life of a session in Firefox, over WebDriver BiDi: login, five tabs that expire at once, a logout that all see.
 * @returns what was not as it should be.
 */
export const smokeInFirefox = async (expiries: number): Promise<readonly string[]> => {
  const problems: string[] = [];
  const check = (what: string, is: boolean): void => {
    if (!is) problems.push(what);
  };
  const app = await startApplication();
  const browser = await launch({ browser: "firefox", executablePath: findProgram("firefox"), headless: true });
  try {
    const pages: Page[] = [];
    for (let tab = 0; tab < 5; tab++) {
      const page = await browser.newPage();
      await page.goto(pageUrl(app.origin()));
      await page.waitForFunction(() => window.loaded === true);
      pages.push(page);
    }
    const [first] = pages as [Page];
    const call = (page: Page, path: string, method = "GET") =>
      page.evaluate((path, method) => window.call(path, { method }), path, method);
    check("a stranger asks nothing", (await call(first, "/me")) === 401 && app.count("POST", "/session/refresh") === 0);
    check("login", (await call(first, "/login", "POST")) === 200);
    check("the user is known", (await first.evaluate(() => window.session.getUserId())) === "u1");
    for (let expiry = 0; expiry < expiries; expiry++) {
      app.clock.advance("2h");
      const statuses = await Promise.all(pages.flatMap((page) => [call(page, "/me"), call(page, "/me", "POST")]));
      check(
        "every call is answered",
        statuses.every((status) => status === 200),
      );
    }
    check("one refresh an expiry", app.count("POST", "/session/refresh", 200) === expiries);
    check("sign-out", (await first.evaluate(() => window.session.signOut())) === "ended");
    for (const page of pages) await page.waitForFunction(() => window.events.some(({ type }) => type === "ended"));
    for (const page of pages) check("all are logged out", (await call(page, "/me")) === 401);
    check("nothing is refreshed afterwards", app.count("POST", "/session/refresh") === expiries);
  } finally {
    await browser.close();
    await app.close();
  }
  return problems;
};
