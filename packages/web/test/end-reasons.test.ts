import type { EmbeddedOptions } from "@pawl/node";
import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WebSession } from "../src/index.js";
import { type OwnApplication, startOwnApplication } from "./own-application.js";
import { SessionPage } from "./page.js";

declare const window: { readonly session: WebSession };

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

interface Scene {
  readonly app: OwnApplication;
  readonly context: BrowserContext;
  readonly page: SessionPage;
}

const refreshCookie = async (context: BrowserContext) =>
  (await context.cookies()).find(({ name }) => name.endsWith("refresh"))!;

/** A copy of the refresh token comes back after the browser has turned twice. */
const replayStolenToken = async ({ app, context, page }: Scene): Promise<void> => {
  const stolen = await refreshCookie(context);
  for (const _ of [1, 2]) {
    app.clock.advance(2 * 3_600_000);
    await page.call("/me");
  }
  app.clock.advance(60_000);
  const headers = { cookie: `${stolen.name}=${stolen.value}`, "st-auth-mode": "cookie" };
  const answer = await fetch(`${app.origin}/session/refresh`, { method: "POST", headers });
  expect(answer.status).toBe(401);
};

const ends: readonly (readonly [string, Partial<EmbeddedOptions>, (scene: Scene) => unknown])[] = [
  ["idle", { idleTimeout: "30m", accessTokenValidity: "5m" }, ({ app }) => app.clock.advance(31 * 60_000)],
  ["expired", { absoluteTimeout: "12h" }, ({ app }) => app.clock.advance(13 * 3_600_000)],
  ["revoked", {}, ({ app }) => app.pawl.sessions.endUser("u1")],
  ["session_limit", { maxSessionsPerUser: 1 }, ({ app }) => app.pawl.tokens.create({ userId: "u1" })],
  ["token_reuse", {}, replayStolenToken],
  ["logout", {}, ({ page }) => page.signOut()],
];

test.each(ends)(
  "all tabs are told that a session ended, and why: %s",
  { timeout: 60_000 },
  async (reason, options, end) => {
    const app = await startOwnApplication(options);
    const context = await browser.newContext();
    try {
      const [page, other] = [await SessionPage.open(context, app.origin), await SessionPage.open(context, app.origin)];
      expect(await page.login()).toBe(200);
      await other.until("created");
      await end({ app, context, page });
      expect(await page.call("/me")).toBe(401);
      // A tab that is opened afterwards, such as that of a login page, can say why as well.
      const late = await SessionPage.open(context, app.origin);
      await late.exists();
      for (const it of [page, other, late]) {
        if (it !== late) await it.until("ended");
        expect((await it.events()).filter(({ type }) => type === "ended")).toEqual(
          it === late ? [] : [{ type: "ended", reason }],
        );
        expect(await it.page.evaluate(() => window.session.getSnapshot())).toEqual({ status: "ended", reason });
      }
    } finally {
      await context.close();
      await app.close();
    }
  },
);
