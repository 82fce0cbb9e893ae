import { launchChromium } from "@pawl/test-servers/chromium";
import { describe, expect, it, onTestFinished } from "vitest";
import { runDemo } from "./running-demo.js";
import { REUSE_WINDOW, Visitor } from "./visitor.js";

const LIFETIME = 300;

describe.each([
  ["core", []],
  ["embedded", ["--embedded"]],
] as const)("the demo over https in Chromium, %s", { timeout: 120_000 }, (mode, flags) => {
  it("binds the session to the browser, so that a thief with the whole cookie jar gets nowhere", async () => {
    const demo = await runDemo("--https", "--reuse-window", String(REUSE_WINDOW), ...flags);
    onTestFinished(() => demo.dispose());
    // As the demo says that one is started, but for the profile.
    const printed = [...demo.output().matchAll(/"(--[^"]+)"/gu)].map(([, flag = ""]) => flag);
    expect(printed).toHaveLength(3);
    const browser = await launchChromium({ flags: printed.filter((flag) => !flag.startsWith("--user-data-dir")) });
    onTestFinished(() => browser.close());
    const visitor = await Visitor.open(browser, { at: demo, artifacts: `https-${mode}` });
    onTestFinished(() => visitor.close());
    const steps = () => visitor.page.locator("#steps li.done").count();

    await visitor.logIn("Ada");
    await visitor.narrated("You are logged in, and bound to this device");
    expect(await visitor.page.locator("#identity").textContent()).toContain("token 0 · bound");
    expect(await visitor.page.locator("#lose").isDisabled()).toBe(true);
    await visitor.screenshot("1-bound");
    await visitor.click("steal");
    await visitor.narrated("The thief holds a copy of your whole cookie jar");
    await visitor.page.locator("#forecast[data-forecast=bound]").waitFor();
    await visitor.click("thief-call");
    await visitor.narrated("The thief called the API as you");
    await visitor.click("replay");
    await visitor.narrated("The thief got nothing, and you noticed nothing");
    const refusals = visitor.page.locator('#log li[data-who=thief][data-status="401"]');
    expect(await refusals.textContent()).toContain("no key has signed");
    await visitor.turnTo(1);
    expect(await steps()).toBe(3);
    await visitor.screenshot("2-worthless");

    await demo.advance((LIFETIME + 1) * 1000);
    await visitor.click("thief-call");
    await visitor.narrated("The thief was turned away");
    await visitor.click("replay");
    await visitor.narrated("The thief got nothing, and you noticed nothing");
    await visitor.expire();
    await visitor.click("call");
    await visitor.narrated("The session turned to token 2");
    expect(await visitor.page.locator("#ending").isHidden()).toBe(true);
    await visitor.click("logout");
    await visitor.narrated("You are logged out here");
    expect(visitor.faults).toEqual([]);
  });
});
