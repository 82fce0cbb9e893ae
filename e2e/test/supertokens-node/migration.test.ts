import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { root, textOf } from "../guide-page.js";
import { startApplication } from "./application.js";
import type { Sdk } from "./sdk.js";
import { versionsWith } from "./sdk-version.js";
import type { Visitor } from "./visitor.js";

const PAGE = "migrate-from-supertokens.md";
const folder = mkdtempSync(join(tmpdir(), "pawl-migration-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where a core has been, and where the visitors go. The core they come from speaks as the original does, by the replay test. */
let old: TestCore;
let pawl: TestCore;
beforeAll(async () => {
  [old, pawl] = [await startTestCore(), await startTestCore()];
});
afterAll(() => Promise.all([old.close(), pawl.close()]));

interface MoveOptions {
  readonly Session: Sdk["session"];
  readonly RecipeUserId: Sdk["supertokens"]["RecipeUserId"];
  readonly otherCore: string;
  readonly cdiVersion: string;
  readonly viaToken?: boolean;
}
type Override = <Functions>(original: Functions) => Functions;

let moveSessions: (options: MoveOptions) => Override;
beforeAll(async () => {
  const file = join(folder, "move-sessions.mjs");
  writeFileSync(file, textOf(PAGE, "js move-sessions.mjs"));
  ({ moveSessions } = (await import(/* @vite-ignore */ file)) as { moveSessions: typeof moveSessions });
});

describe("the way from a SuperTokens core", () => {
  test("its configuration is accepted", () => {
    const file = join(folder, "config.yaml");
    writeFileSync(file, textOf(PAGE, "yaml config.yaml"));
    const pawlCommand = join(root, "packages/core/bin/pawl.js");
    const { stdout, stderr } = spawnSync(process.execPath, [pawlCommand, "config", "check", "--config", file], {
      env: { ...process.env, PAWL_MASTER_KEY: Buffer.alloc(32, 1).toString("base64") },
      encoding: "utf8",
    });
    expect([stderr, stdout]).toEqual(["", `The configuration is fine: ${file} (Pawl's own form)\n`]);
  });

  test("its commands ask whether the core is there, and make a tenant", async () => {
    expect((await fetch(`${pawl.url}/readyz`)).status).toBe(200);
    const { versions } = (await (await fetch(`${pawl.url}/apiversion`)).json()) as { readonly versions: string[] };
    expect(versions).toEqual(expect.arrayContaining(["5.4", "5.1", "4.0", "2.21"]));
    const body = /-d '([^']*)'/.exec(textOf(PAGE, "sh", "PUT"))?.[1] ?? "";
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${pawl.url}/recipe/multitenancy/tenant/v2`, { method: "PUT", headers, body });
    expect(await made.json()).toEqual({ status: "OK", createdNew: true });
  });
});

describe.each(versionsWith("tenants"))(
  "visitors of supertokens-node $version, unmodified, who move between cores",
  (sdk) => {
    const application = async (at: TestCore, from?: TestCore, antiCsrf: "VIA_TOKEN" | "NONE" = "NONE") => {
      const started = await startApplication(sdk, at.url, {
        session({ session: Session, supertokens: { RecipeUserId } }) {
          if (from === undefined) return { antiCsrf };
          const options = { Session, RecipeUserId, otherCore: from.url, cdiVersion: sdk.cdi };
          return {
            antiCsrf,
            override: { functions: moveSessions({ ...options, viaToken: antiCsrf === "VIA_TOKEN" }) },
          };
        },
      });
      onTestFinished(() => started.close());
      return started;
    };
    type Application = Awaited<ReturnType<typeof application>>;
    /** The same browser, in front of the application after its restart. */
    const moved = (visitor: Visitor, to: Application): Visitor => {
      const next = to.newVisitor();
      for (const [name, token] of visitor.tokens) next.replace(name, token);
      next.antiCsrf = visitor.antiCsrf;
      return next;
    };
    const whoIsIt = (visitor: Visitor) =>
      visitor.act(async (session) => [
        session.getUserId(),
        session.getAccessTokenPayload().role,
        await session.getSessionDataFromDatabase(),
      ]);
    let users = 0;
    const someone = () => ({ userId: `${sdk.version} ${++users}`, payload: { role: "admin" }, data: { note: 1 } });

    test("without more they log in once more, and nobody is taken for a thief", async () => {
      const login = someone();
      const visitor = (await application(old)).newVisitor();
      await visitor.login(login);
      const after = moved(visitor, await application(pawl));
      expect(await whoIsIt(after)).toMatchObject({ status: 401, message: "try refresh token" });
      expect(await after.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
      expect(after.tokens.size).toBe(0);
      expect((await after.login(login)).status).toBe(200);
      expect(await whoIsIt(after)).toMatchObject({ status: 200 });
    });

    test.each(["NONE", "VIA_TOKEN"] as const)(
      "with the override they change over at a refresh; anti-CSRF %s",
      async (antiCsrf) => {
        const login = someone();
        const before = await application(old, undefined, antiCsrf);
        const visitor = before.newVisitor();
        await visitor.login(login);
        const app = await application(pawl, old, antiCsrf);
        const after = moved(visitor, app);
        if (antiCsrf === "VIA_TOKEN") {
          const forger = moved(visitor, app);
          forger.antiCsrf = undefined;
          expect(await forger.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
        }
        expect(await whoIsIt(after)).toMatchObject({ status: 401, message: "try refresh token" });
        expect((await after.refresh()).status).toBe(200);
        expect(await whoIsIt(after)).toMatchObject({ status: 200, body: [login.userId, "admin", { note: 1 }] });
        expect(after.tokens.get("refresh")).toMatch(/^pawl_rt_1\./);
        // from there on like any other session, and the old one is no more
        pawl.clock.advance(31_000);
        expect((await after.refresh()).status).toBe(200);
        expect(await moved(visitor, app).refresh()).toMatchObject({ status: 401, message: "unauthorised" });
        expect(await before.sdk.revokeAllSessionsForUser(login.userId)).toEqual([]);
      },
    );

    test("a theft that the core they come from notices ends the session, and is no way in", async () => {
      const login = someone();
      const before = await application(old);
      const victim = before.newVisitor();
      await victim.login(login);
      const thief = victim.copy();
      old.clock.advance(31_000);
      await victim.refresh();
      old.clock.advance(31_000);
      await whoIsIt(victim);
      const app = await application(pawl, old);
      expect(await moved(thief, app).refresh()).toMatchObject({ status: 401, message: "unauthorised" });
      expect(await moved(victim, app).refresh()).toMatchObject({ status: 401, message: "unauthorised" });
    });

    test("they go back the same way", async () => {
      const login = someone();
      const visitor = (await application(pawl)).newVisitor();
      await visitor.login(login);
      const back = moved(visitor, await application(old, pawl));
      expect((await back.refresh()).status).toBe(200);
      expect(await whoIsIt(back)).toMatchObject({ status: 200, body: [login.userId, "admin", { note: 1 }] });
    });
  },
);
