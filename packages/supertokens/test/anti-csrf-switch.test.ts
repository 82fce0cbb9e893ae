import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCore } from "@pawl/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPawl, type Pawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { coreConfig } from "./core-config.js";
import { startWebApp, type WebApp } from "./web-app.js";

const TRY_REFRESH_TOKEN = 3000;
const masterKey = Buffer.alloc(32, 7).toString("base64");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-anti-csrf-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Serving {
  readonly app: WebApp;
  close(): Promise<void>;
}

const serve = async (pawl: Pawl, closeBackend: () => Promise<void>): Promise<Serving> => {
  const app = await startWebApp(pawl);
  return {
    app,
    async close() {
      await app.close();
      await pawl.close();
      await closeBackend();
    },
  };
};

/** An application over the store in the folder, which outlives it. */
const modes: readonly { readonly name: string; start(enableAntiCsrf: boolean): Promise<Serving> }[] = [
  {
    name: "in process",
    start: (enableAntiCsrf) =>
      serve(
        createPawl({
          storage: `sqlite:${folder}/s.db`,
          masterKey,
          enableAntiCsrf,
          cookies: { secure: false, sameSite: "lax" },
        }),
        async () => undefined,
      ),
  },
  {
    name: "with a core",
    async start(enableAntiCsrf) {
      const core = await startCore(coreConfig({ enableAntiCsrf }, { storage: `sqlite:${folder}/s.db`, masterKey }));
      return serve(createPawl({ core: [`http://127.0.0.1:${core.address.port}`], cookies: { sameSite: "lax" } }), () =>
        core.close(),
      );
    },
  },
];

const claimsOf = (accessToken = "") =>
  JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as { antiCsrfToken: string | null };

describe.each(modes)("$name: anti-CSRF is switched while a session lives", ({ start }) => {
  test.each([
    { atLogin: false, now: false },
    { atLogin: false, now: true },
    { atLogin: true, now: false },
    { atLogin: true, now: true },
  ])("at login $atLogin, now $now", async ({ atLogin, now }) => {
    const before = await start(atLogin);
    const login = new Browser(before.app);
    expect((await login.login()).headers["anti-csrf"] !== undefined).toBe(atLogin);
    await before.close();

    const { app, close } = await start(now);
    const page = new Browser(app);
    for (const [name, value] of login.cookies) page.cookies.set(name, value);
    page.antiCsrf = login.antiCsrf;
    const first = await page.send("/me", { method: "POST" });
    expect(first.body).toMatchObject(now && !atLogin ? { errType: TRY_REFRESH_TOKEN } : { userId: "u1" });

    for (let round = 0; round < 3; round++) {
      const refreshed = await page.refresh();
      expect([refreshed.status, refreshed.headers["anti-csrf"] !== undefined]).toEqual([200, now]);
      expect(typeof claimsOf(page.cookies.get("sAccessToken")).antiCsrfToken).toBe(now ? "string" : "object");
      expect((await page.send("/me", { method: "POST" })).body).toEqual({ userId: "u1" });
    }
    page.antiCsrf = undefined;
    const unproven = await page.send("/me", { method: "POST" });
    expect(unproven.body).toMatchObject(now ? { errType: TRY_REFRESH_TOKEN } : { userId: "u1" });
    // A page that has lost the token gets it back, and signs out.
    await page.refresh();
    expect((await page.send("/logout", { method: "POST" })).status).toBe(200);
    await close();
  });
});
