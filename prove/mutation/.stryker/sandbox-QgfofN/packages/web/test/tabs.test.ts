import { launchChromium } from "@pawl/test-servers/chromium";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { turnTogether } from "./turn-together.js";

describe("five tabs that find their access token expired at once: one refresh, nobody is logged out", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** `npm run prove` asks for 200. */
  const expiries = Number(process.env["PAWL_EXPIRIES"] ?? 15);
  test("and a service worker", { timeout: 20_000 + expiries * 3000 }, async () => {
    const { refreshes, logouts, failures } = await turnTogether(browser, { tabs: 5, expiries });
    expect({ refreshes, logouts, failures }).toEqual({ refreshes: expiries, logouts: 0, failures: 0 });
  });

  test("without Web Locks", async () => {
    const script = "Object.defineProperty(navigator, 'locks', { value: undefined })";
    const { refreshes, logouts, failures } = await turnTogether(browser, {
      tabs: 5,
      expiries: 4,
      script,
      worker: false,
    });
    expect({ refreshes, logouts, failures }).toEqual({ refreshes: 4, logouts: 0, failures: 0 });
  });
});
