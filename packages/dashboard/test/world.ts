import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig, type RunningCore, startCore } from "@pawl/core";
import { type Clock, millis, type TenantId, type UserId } from "@pawl/storage";
import type { BrowserContext, Page } from "playwright-core";

export const KEY = "the-key-of-an-operator-0";

export interface World extends RunningCore {
  /** Of the core, as a browser on this machine calls it. */
  readonly origin: string;
  /** How far the core's clock is from this machine's, ms. */
  readonly clock: { offset: number };
  link(): Promise<string>;
  /** A tab in which the dashboard is open. */
  open(context: BrowserContext): Promise<Page>;
}

/** A core with a dashboard, and a key. */
export const startWorld = async (env: Readonly<Record<string, string>> = {}): Promise<World> => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-dashboard-"));
  const config = readConfig({
    cwd: folder,
    env: {
      PAWL_DASHBOARD: "true",
      PAWL_PORT: "0",
      PAWL_STORAGE: "memory:",
      PAWL_API_KEYS: KEY,
      PAWL_LOG_LEVEL: "none",
      ...env,
    },
  });
  const clock = { offset: 0 };
  const moved: Clock = { now: () => millis(Date.now() + clock.offset) };
  const core = await startCore(config, { clock: moved });
  const origin = `http://localhost:${core.address.port}`;
  const link = async (): Promise<string> => {
    const response = await fetch(`${origin}/v1/dashboard/links`, { method: "POST", headers: { "api-key": KEY } });
    return origin + ((await response.json()) as { readonly path: string }).path;
  };
  return {
    ...core,
    origin,
    clock,
    link,
    async open(context) {
      const page = await context.newPage();
      await page.goto(await link());
      await page.getByRole("navigation", { name: "Pages" }).waitFor();
      return page;
    },
    async close() {
      await core.close();
      rmSync(folder, { recursive: true });
    },
  };
};

const HOUR = 3_600_000;
const devices = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Firefox on the kitchen tablet",
];

/** A day of a small application: logins, refreshes, ends of several kinds, thefts, acting, keys. */
export const liveADay = async ({ engine, clock }: World): Promise<void> => {
  const users = ["alice", "bob", "carol", "dave", "zoë@example.com"];
  const login = (user: string, index: number) =>
    engine.createSession({
      userId: user as UserId,
      device: devices[index % devices.length],
      address: `192.0.2.${(index % 200) + 1}`,
      payload: { role: index % 4 === 0 ? "admin" : "reader" },
      auth: { methods: index % 2 === 0 ? ["pwd"] : ["pwd", "otp"] },
    });
  for (let hour = 22; hour >= 0; hour -= 1) {
    clock.offset = -hour * HOUR - 60_000;
    const begun = [];
    const refreshed = new Map<string, string>();
    for (let index = 0; index < 4 + ((hour * 7) % 5); index += 1)
      begun.push(await login(users[(hour + index) % users.length] ?? "", index));
    for (const { refreshToken } of begun.slice(2)) {
      clock.offset += 60_000;
      const first = await engine.refreshSession({ refreshToken: refreshToken.token });
      if (first.kind === "refreshed") refreshed.set(first.session.handle, first.refreshToken.token);
    }
    const ending = begun.slice(0, 3 + (hour % 3)).map(({ session }) => session.handle);
    await engine.revokeSessions(ending.slice(0, 2), { reason: "logout" });
    await engine.revokeSessions(ending.slice(2), { reason: hour % 2 === 0 ? "revoked" : "replaced" });
    const robbed = begun.at(-1);
    if (hour % 9 === 1 && robbed !== undefined) {
      let newest: string = refreshed.get(robbed.session.handle) ?? "";
      for (let count = 0; count < 2; count += 1) {
        clock.offset += 60_000;
        const outcome = await engine.refreshSession({ refreshToken: newest });
        if (outcome.kind === "refreshed") newest = outcome.refreshToken.token;
      }
      clock.offset += 60_000;
      await engine.refreshSession({ refreshToken: robbed.refreshToken.token });
    }
  }
  clock.offset = -30_000;
  const admin = await engine.createSession({ userId: "alice" as UserId, device: "Support's laptop", form: "pawl" });
  await engine.actAs(admin.accessToken.token, { userId: "bob" as UserId, payload: {}, reason: "ticket 4711" });
  await engine.createSession({ userId: "erin" as UserId, tenantId: "acme" as TenantId, device: "A tablet" });
  await engine.rotateSigningKey();
  clock.offset = 0;
  await engine.maintainCounts();
};
