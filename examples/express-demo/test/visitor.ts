import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { RunningDemo } from "./running-demo.js";

/** Of the demos that a visitor meets, in seconds: longer than an answer takes to leave on a busy machine. */
export const REUSE_WINDOW = 5;

/** Somebody in front of the demo's page, with cookies of their own. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #artifacts: string;
  readonly #demo: RunningDemo;
  /** What went wrong in the page's own code. */
  readonly faults: string[] = [];

  private constructor(context: BrowserContext, page: Page, demo: RunningDemo, artifacts: string) {
    this.#context = context;
    this.page = page;
    this.#demo = demo;
    this.#artifacts = artifacts;
    page.on("pageerror", (error) => this.faults.push(error.message));
  }

  static async open(
    browser: Browser,
    how: { readonly at: RunningDemo; readonly artifacts: string; readonly dark?: boolean; readonly width?: number },
  ): Promise<Visitor> {
    const context = await browser.newContext({
      colorScheme: how.dark === true ? "dark" : "light",
      viewport: { width: how.width ?? 1280, height: 900 },
    });
    context.setDefaultTimeout(40_000);
    const artifacts = fileURLToPath(new URL(`../artifacts/${how.artifacts}/`, import.meta.url));
    mkdirSync(artifacts, { recursive: true });
    const visitor = new Visitor(context, await context.newPage(), how.at, artifacts);
    await visitor.page.goto(how.at.url);
    await visitor.page.locator("#login").waitFor();
    return visitor;
  }

  async logIn(name: string): Promise<void> {
    await this.page.locator("#name").fill(name);
    await this.page.locator("#login button").click();
    await this.page.locator("#session").waitFor();
    await this.narrated("You are logged in");
  }

  /** Another tab of the same browser. */
  async openTab(): Promise<Page> {
    const tab = await this.#context.newPage();
    await tab.goto(this.page.url());
    return tab;
  }

  async click(id: string): Promise<void> {
    await this.page.locator(`#${id}`).click();
  }

  /** Waits until the page says this about what happened. */
  async narrated(title: string | RegExp): Promise<void> {
    await this.page.locator("#narration-title").filter({ hasText: title }).waitFor();
  }

  /** Waits for a token of the drawing. */
  async drawn(token: {
    readonly holder: "you" | "thief";
    readonly seq: number;
    readonly state: string;
  }): Promise<void> {
    const { holder, seq, state } = token;
    await this.page.locator(`[data-holder=${holder}][data-seq="${seq}"][data-state=${state}]`).waitFor();
  }

  /** Lets the access token run out of its own accord. */
  async waitForExpiry(): Promise<void> {
    await this.page.locator("#ring svg.expired").waitFor();
  }

  /** Lets the reuse window of the newest token pass, so that a refresh turns and a use is a proof. */
  async turnable(): Promise<void> {
    // A second more: tokens tell their age in whole seconds. The page learns the time when it is looked at again.
    await this.#demo.advance((REUSE_WINDOW + 1) * 1000);
    await this.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await this.page.locator("#forecast[data-provable=true]").waitFor();
  }

  /** Has the demo drop the access token. */
  async expire(): Promise<void> {
    await this.click("expire");
    await this.narrated("The access token is gone");
  }

  /** Lets the page refresh, once the reuse window of the token before is over. */
  async turnTo(seq: number): Promise<void> {
    await this.turnable();
    await this.expire();
    await this.click("call");
    await this.narrated(`The session turned to token ${seq}`);
  }

  /** Makes the call that proves that the newest token has arrived, as soon as one counts as proof. */
  async prove(): Promise<void> {
    await this.turnable();
    await this.click("call");
    await this.narrated(/has certainly arrived/);
  }

  /** Calls again and again, as a live page does, until something shows. */
  async callUntil(selector: string): Promise<void> {
    const shown = this.page.locator(selector);
    const call = this.page.locator("#call");
    for (const started = Date.now(); !(await shown.isVisible());) {
      if (Date.now() - started > 15_000) throw new Error(`${selector} did not show`);
      // A call that is refused takes the button away: the click must not wait for it.
      await call.dispatchEvent("click");
      await this.page.locator("#call:not([data-busy])").waitFor({ state: "attached" });
    }
  }

  /** Lets the next call pass and holds the one after it, to look at the page in between. */
  async holdSecondCall(): Promise<{ letGo(): void }> {
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    let seen = 0;
    await this.page.route("**/api/greeting", async (route) => {
      seen += 1;
      if (seen > 1) await held;
      await route.continue();
    });
    return { letGo: () => letGo() };
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: `${this.#artifacts}${name}.png`, fullPage: true, animations: "disabled" });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
