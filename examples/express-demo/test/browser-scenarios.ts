import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDemo, runDemo } from "./running-demo.js";
import { launchChromium } from "@pawl/test-servers/chromium";
import { REUSE_WINDOW, Visitor } from "./visitor.js";

/**
 * What a visitor does with the demo in a real browser, the same in both modes. One after the other: an answer that is slow
 * to leave writes no tokens, and several pages at once on a busy machine make answers slow.
 */
export const testInChromium = (mode: "core" | "embedded", flags: readonly string[]): void => {
  describe(`the demo in Chromium, ${mode}`, { timeout: 120_000 }, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    // One whose access tokens really run out while we watch, one in which nothing happens but what the visitor does.
    let brief: RunningDemo;
    let demo: RunningDemo;
    beforeAll(async () => {
      [brief, demo] = (await Promise.all(
        ["6", "300"].map((lifetime) =>
          runDemo("--access-lifetime", lifetime, "--reuse-window", String(REUSE_WINDOW), ...flags),
        ),
      )) as [RunningDemo, RunningDemo];
    });
    afterAll(() => Promise.all([brief?.dispose(), demo?.dispose()]));

    const visit = (
      how: { readonly dark?: boolean; readonly width?: number; readonly at?: RunningDemo } = {},
    ): Promise<Visitor> => Visitor.open(browser, { at: demo, artifacts: mode, ...how });

    it("logs in, lets the access token run out, and refreshes by itself", async () => {
      const visitor = await visit({ at: brief });
      await visitor.logIn("Ada");
      const token = visitor.page.locator("#token");
      expect(await visitor.page.locator("#identity").textContent()).toMatch(/^Ada · session [0-9a-f]{8} · token 0$/);
      for (const part of ["ES256", "sid", "Ada", "role"]) expect(await token.textContent()).toContain(part);
      await visitor.waitForExpiry();
      await visitor.screenshot("3-expired");
      await visitor.click("call");
      await visitor.narrated("The session turned to token 1");
      await visitor.drawn({ holder: "you", seq: 0, state: "accepted" });
      await visitor.drawn({ holder: "you", seq: 1, state: "newest" });
      await visitor.screenshot("4-refreshed");
      expect(visitor.faults).toEqual([]);
      await visitor.close();
    });

    it("serves five parallel calls with exactly one refresh", async () => {
      const visitor = await visit();
      await visitor.screenshot("1-welcome");
      await visitor.logIn("Ada");
      await visitor.screenshot("2-logged-in");
      await visitor.click("call");
      await visitor.narrated("Answered at once");
      await visitor.turnable();
      await visitor.expire();
      await visitor.click("five");
      await visitor.narrated("Five calls, one refresh");
      await visitor.drawn({ holder: "you", seq: 1, state: "newest" });
      const calls = visitor.page.locator('#log li[data-path="/api/greeting"][data-status="200"]');
      expect(await calls.count()).toBe(6);
      expect(await calls.filter({ hasText: "Token 1 came along" }).count()).toBeGreaterThan(0);
      await visitor.screenshot("5-five-calls");
      await visitor.close();
    });

    it("survives a lost refresh answer (hazard: answer to refresh lost)", async () => {
      const visitor = await visit();
      await visitor.logIn("Ada");
      await visitor.turnable();
      await visitor.expire();
      await visitor.click("lose");
      await visitor.narrated("The next refresh answer will be lost");
      const repeat = await visitor.holdSecondCall();
      await visitor.click("call");
      await visitor.drawn({ holder: "you", seq: 1, state: "lost" });
      await visitor.screenshot("6-answer-lost");
      repeat.letGo();
      await visitor.narrated("Lost, asked again, still logged in");
      expect(await visitor.page.locator("#session").isVisible()).toBe(true);
      expect(await visitor.page.locator('#log li[data-status="lost"]').count()).toBe(1);
      await visitor.screenshot("7-survived");
      await visitor.prove();
      await visitor.drawn({ holder: "you", seq: 0, state: "spent" });
      await visitor.close();
    });

    it("catches a thief who replays a token that was turned, and tells why (hazard: thief refreshes second)", async () => {
      const visitor = await visit();
      await visitor.logIn("Ada");
      await visitor.turnTo(1);
      await visitor.click("steal");
      await visitor.narrated("The thief holds a copy of token 1");
      await visitor.drawn({ holder: "thief", seq: 1, state: "newest" });
      await visitor.screenshot("8-stolen");

      await visitor.turnTo(2);
      await visitor.prove();
      await visitor.page.locator("#forecast[data-forecast=caught]").waitFor();
      await visitor.screenshot("9-about-to-replay");

      await visitor.click("replay");
      await visitor.page.locator("[data-alarm=thief]").waitFor();
      await visitor.page.locator("#ending[data-reason=token_reuse]").waitFor();
      expect(await visitor.page.locator("#ending-title").textContent()).toBe("Somebody else used your session");
      expect(await visitor.page.locator("#ending-reason").textContent()).toBe("reason: token_reuse");
      expect(await visitor.page.locator('#log li[data-who=thief][data-status="401"]').textContent()).toMatch(/Theft/);
      await visitor.page.locator("#login").waitFor();
      await visitor.screenshot("10-caught");

      await visitor.logIn("Ada");
      expect(await visitor.page.locator("#ending").isHidden()).toBe(true);
      expect(visitor.faults).toEqual([]);
      await visitor.close();
    });

    it("catches the theft at its owner's refresh when the thief was first (hazard: thief refreshes first)", async () => {
      const visitor = await visit({ dark: true });
      await visitor.logIn("Ada");
      await visitor.click("steal");
      await visitor.narrated("The thief holds a copy of token 0");
      await visitor.turnable();
      await visitor.click("replay");
      await visitor.narrated("The thief received token 1");
      await visitor.turnable();
      await visitor.click("thief-call");
      await visitor.narrated("The thief called the API as you");
      await visitor.drawn({ holder: "you", seq: 0, state: "spent" });
      await visitor.expire();
      await visitor.click("call");
      await visitor.page.locator("[data-alarm=you]").waitFor();
      await visitor.page.locator("#ending[data-reason=token_reuse]").waitFor();
      await visitor.screenshot("11-thief-first-dark");
      await visitor.close();
    });

    it("says in every tab why the session ended", async () => {
      const visitor = await visit();
      await visitor.logIn("Ada");
      const other = await visitor.openTab();
      await other.locator("#session").waitFor();
      await visitor.click("logout");
      await visitor.narrated("You are logged out here");
      await other.locator("#ending[data-reason=logout]").waitFor();
      expect(await other.locator("#ending-title").textContent()).toBe("You logged out elsewhere");
      expect(await visitor.page.locator("#ending").isHidden()).toBe(true);
      await visitor.close();
    });

    it("feels in one panel the role that was taken away in the other, and stays logged in", async () => {
      const visitor = await visit();
      const told = (role: string) => visitor.page.locator("#told-role").filter({ hasText: role }).waitFor();
      await visitor.logIn("Ada");
      await visitor.click("publish");
      await visitor.narrated("Published");
      await visitor.click("take-role");
      await visitor.narrated("The administrator has taken your role away");
      await told("editor");
      await visitor.screenshot("14-role-taken");
      // With a core the page's application hears of it a moment later.
      await visitor.click("publish");
      await visitor.narrated("Your role is gone, your session is not");
      expect(await visitor.page.locator("#narration-text").textContent()).toMatch(/good for another \d+/);
      await told("reader");
      expect(await visitor.page.locator('#log li[data-path="/api/article"][data-status="403"]').count()).toBe(1);
      await visitor.screenshot("15-role-gone");
      await visitor.click("call");
      await visitor.narrated("Answered at once");
      await visitor.click("give-role");
      await visitor.narrated("You are an editor again");
      await visitor.click("publish");
      await visitor.narrated("Published");
      await told("editor");
      expect(await visitor.page.locator("#session").isVisible()).toBe(true);
      expect(visitor.faults).toEqual([]);
      await visitor.close();
    });

    it("asks again before the vault, once, and opens it with the same session", async () => {
      const visitor = await visit({ dark: true });
      await visitor.logIn("Ada");
      const identity = await visitor.page.locator("#identity").textContent();
      await visitor.click("vault");
      await visitor.narrated("The vault asks whether it is still you");
      await visitor.screenshot("16-step-up-dark");
      await visitor.page.locator("#confirmation button", { hasText: "Not now" }).click();
      await visitor.narrated("The vault stays closed");
      await visitor.click("vault");
      await visitor.page.locator("#confirmation button", { hasText: "It is me" }).click();
      await visitor.narrated("It is you: the vault is open");
      const vault = visitor.page.locator('#log li[data-path="/api/vault"]');
      expect(await vault.evaluateAll((lines) => lines.map((line) => line.dataset["status"]))).toEqual([
        "200",
        "401",
        "401",
      ]);
      for (const part of ["auth_time", "amr", "otp"])
        expect(await visitor.page.locator("#token").textContent()).toContain(part);
      expect(await visitor.page.locator("#identity").textContent()).toBe(identity);
      await visitor.screenshot("17-stepped-up-dark");
      await visitor.click("vault");
      await visitor.narrated("The vault is open");
      expect(visitor.faults).toEqual([]);
      await visitor.close();
    });

    it("logs out here, and everywhere with a second browser", async () => {
      const [first, second] = [await visit({ width: 400 }), await visit({ dark: true, width: 400 })];
      await first.logIn("Grace");
      await first.click("logout");
      await first.narrated("You are logged out here");
      await first.page.locator("#login").waitFor();
      const again = await first.page.evaluate(async () => (await fetch("/api/greeting")).status);
      expect(again).toBe(401);

      await first.logIn("Grace");
      await second.logIn("Grace");
      await first.screenshot("12-narrow");
      await first.click("logout-everywhere");
      await first.narrated("You are logged out everywhere");
      expect(await first.page.locator("#narration-text").textContent()).toContain("All 2 of your sessions");
      // Each process follows what is revoked: the next call is refused although the access token is still good.
      await second.callUntil("#ending");
      expect(await second.page.locator("#ending-title").textContent()).toBe("You logged out elsewhere");
      await second.screenshot("13-ended-elsewhere-narrow-dark");
      for (const visitor of [first, second])
        expect(await visitor.page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
      await first.close();
      await second.close();
    });
  });
};
