import type { Browser } from "playwright-core";
import { startApplication } from "./application.js";
import { SessionPage } from "./page.js";

/**
 * Tabs and (unless said otherwise) a service worker of one browser that all find their access token expired at once, again and again.
 * @returns how many refreshes the server answered, tabs that were told of an end, and calls that were not answered 200.
 */
export const turnTogether = async (
  browser: Browser,
  {
    tabs,
    expiries,
    script = "",
    worker = true,
  }: { readonly tabs: number; readonly expiries: number; readonly script?: string; readonly worker?: boolean },
): Promise<{ readonly refreshes: number; readonly logouts: number; readonly failures: number }> => {
  const app = await startApplication();
  const context = await browser.newContext();
  try {
    if (script !== "") await context.addInitScript(script);
    const pages: SessionPage[] = [];
    for (let tab = 0; tab < tabs; tab++) pages.push(await SessionPage.open(context, app.origin()));
    const [first] = pages as [SessionPage];
    if (worker) await first.startWorker();
    await first.login();
    let failures = 0;
    for (let expiry = 0; expiry < expiries; expiry++) {
      app.clock.advance("2h");
      const statuses = await Promise.all([
        ...pages.flatMap((page) => [page.call("/me"), page.call("/me", { method: "POST" })]),
        ...(worker ? [first.callInWorker("/me")] : []),
      ]);
      failures += statuses.filter((status) => status !== 200).length;
    }
    const ended = await Promise.all(pages.map((page) => page.eventTypes()));
    return {
      refreshes: app.count("POST", "/session/refresh", 200),
      logouts: ended.filter((types) => types.includes("ended")).length,
      failures,
    };
  } finally {
    await context.close();
    await app.close();
  }
};
