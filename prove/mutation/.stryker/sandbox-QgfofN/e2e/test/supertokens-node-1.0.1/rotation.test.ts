import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atOnce, bothSettings, startTestCore, type TestCore } from "../core.js";
import { entries, setup } from "./application.js";

const DAY = 86_400_000;

describe.each(entries)("refreshSession of $name, unmodified", (entry) => {
  describe.each(bothSettings)("with $settings", ({ settings, options }) => {
    let core: TestCore;
    beforeAll(async () => {
      core = await startTestCore(options);
    });
    afterAll(() => core.close());

    test("1.0.1 statement 10: of an ended session it is UNAUTHORISED", async () => {
      const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      await sdk.revokeAllSessionsForUser(userId);
      proxy.take();
      expect(await client.refresh()).toEqual({
        errType: sdk.Error.UNAUTHORISED,
        message: expect.any(String) as string,
      });
      expect(proxy.take()).toEqual(["POST /session/refresh"]);
    });

    test("1.0.1 statement 10: a theft is thrown with who was robbed, and the SDK revokes nothing", async () => {
      const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
      const victim = await loggedIn();
      const thief = victim.copy();
      const [sessionHandle = ""] = await sdk.getAllSessionHandlesForUser(userId);
      core.clock.advance(31_000);
      await victim.refresh();
      core.clock.advance(31_000);
      await victim.verify();
      proxy.take();
      expect(await thief.refresh()).toEqual({
        errType: sdk.Error.TOKEN_THEFT_DETECTED,
        robbed: { sessionHandle, userId },
      });
      expect(proxy.take()).toEqual(["POST /session/refresh"]);

      const { UNAUTHORISED } = sdk.Error;
      if (settings === "window 0, report") {
        // it is the application's to end it; until then the victim goes on
        expect(await victim.refresh()).toEqual({ userId });
        expect(await victim.verify()).toEqual({ userId });
        expect(await sdk.getAllSessionHandlesForUser(userId)).toEqual([sessionHandle]);
        expect(await sdk.revokeSessionUsingSessionHandle(sessionHandle)).toBe(true);
      }
      // by default the core has ended it itself
      else expect(await sdk.revokeSessionUsingSessionHandle(sessionHandle)).toBe(false);
      expect(await sdk.getAllSessionHandlesForUser(userId)).toEqual([]);
      expect(await victim.refresh()).toMatchObject({ errType: UNAUTHORISED });
      const { reason } = await core.engine.explainSession(sessionHandle);
      expect(reason).toBe(settings === "window 0, report" ? "revoked" : "token_reuse");
    });

    test("1.0.1 statement 11: a refresh takes no anti-CSRF token", async () => {
      const { loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      expect(client.antiCsrf).toEqual(expect.any(String));
      core.clock.advance(31_000);
      // neither client sends one with a refresh
      expect(await client.refresh()).toEqual({ userId });
      expect(await client.verify()).toEqual({ userId });
    });

    test("1.0.1 statement 10: hostile refresh tokens are UNAUTHORISED, and the session lives on", async () => {
      const { sdk, loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      const good = client.tokens.get("sRefreshToken") ?? "";
      for (const token of ["x", "a.b.V1", `${good}.V1`, good.slice(0, -1), "é".repeat(1000)]) {
        const hostile = client.copy();
        hostile.tokens.set("sRefreshToken", token);
        expect(await hostile.refresh()).toMatchObject({ errType: sdk.Error.UNAUTHORISED });
      }
      expect((await fetch(`${core.url}/healthz`)).status).toBe(200);
      expect(await client.refresh()).toEqual({ userId });
    });
  });

  test("1.0.1 statements 7 and 10 in one life with window 0, report: siblings, promotion and theft, all at once", async () => {
    const core = await startTestCore(atOnce);
    try {
      const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
      const original = await loggedIn();
      const first = original.copy();
      const sibling = original.copy();
      expect(await first.refresh()).toEqual({ userId });
      expect(await sibling.refresh()).toEqual({ userId });
      expect(sibling.tokens.get("sRefreshToken")).not.toBe(first.tokens.get("sRefreshToken"));
      // the newest sibling is used: it is confirmed and replaced by a clean token, once
      const minted = sibling.tokens.get("sAccessToken");
      proxy.take();
      expect(await sibling.verify()).toEqual({ userId });
      expect(sibling.tokens.get("sAccessToken")).not.toBe(minted);
      expect(await sibling.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual(["POST /session/verify"]);
      // now the first token is old: theft, reported and left to the application
      const { TOKEN_THEFT_DETECTED, UNAUTHORISED } = sdk.Error;
      expect(await original.refresh()).toMatchObject({ errType: TOKEN_THEFT_DETECTED, robbed: { userId } });
      // so does the sibling that was displaced: a difference by name
      expect(await first.refresh()).toMatchObject({ errType: TOKEN_THEFT_DETECTED, robbed: { userId } });
      expect(await sibling.refresh()).toEqual({ userId });
      expect(await sdk.revokeAllSessionsForUser(userId)).toBe(1);
      expect(await sibling.refresh()).toMatchObject({ errType: UNAUTHORISED });
    } finally {
      await core.close();
    }
  });

  describe("at the defaults", () => {
    let core: TestCore;
    beforeAll(async () => {
      core = await startTestCore();
    });
    afterAll(() => core.close());

    test("1.0.1 statements 7 and 10 in one life: what is repeated at once is answered and alarms nobody; a theft later does", async () => {
      const { sdk, proxy, loggedIn, userId } = await setup(entry, core);
      const original = await loggedIn();
      const [first, second] = [original.copy(), original.copy()];
      // all at once, as the documented sequence does: no alarm, both go on
      for (const tab of [first, second, original.copy()]) expect(await tab.refresh()).toEqual({ userId });
      expect(await first.verify()).toEqual({ userId });
      expect(await original.copy().refresh()).toEqual({ userId });
      core.clock.advance(31_000);
      expect(await second.refresh()).toEqual({ userId });
      const successor = new Map(second.tokens);
      expect(await second.refresh()).toEqual({ userId });
      expect(second.tokens.get("sRefreshToken")).not.toBe(successor.get("sRefreshToken"));
      proxy.take();
      core.clock.advance(31_000);
      expect(await second.verify()).toEqual({ userId });
      expect(proxy.take()).toEqual(["POST /session/verify"]);
      const { TOKEN_THEFT_DETECTED, UNAUTHORISED } = sdk.Error;
      expect(await original.refresh()).toMatchObject({ errType: TOKEN_THEFT_DETECTED, robbed: { userId } });
      expect(await second.refresh()).toMatchObject({ errType: UNAUTHORISED });
      expect(await sdk.getAllSessionHandlesForUser(userId)).toEqual([]);
    });

    test("1.0.1 statement 10: a lost answer is retried after days without alarm", async () => {
      const { loggedIn, userId } = await setup(entry, core);
      const client = await loggedIn();
      core.clock.advance(31_000);
      await client.copy().refresh();
      core.clock.advance(5 * DAY);
      expect(await client.refresh()).toEqual({ userId });
    });
  });
});
