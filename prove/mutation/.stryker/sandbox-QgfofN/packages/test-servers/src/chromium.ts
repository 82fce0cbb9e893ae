import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { findProgram } from "./programs.js";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface ChromiumOptions {
  /** Further flags of the command line. */
  readonly flags?: readonly string[];
  /** Those of Playwright's own flags that are to be left out. */
  readonly without?: readonly string[];
}

const launchOptions = ({ flags: more = [], without = [] }: ChromiumOptions) => ({
  executablePath: findProgram("chromium"),
  args: [...flags, ...more],
  ignoreDefaultArgs: [...without],
});

/**
 * A headless Chromium. Its contexts are private windows, in which cookies of third parties are blocked.
 * @throws Error with one line that says how to get one
 */
export const launchChromium = (options: ChromiumOptions = {}): Promise<Browser> =>
  chromium.launch(launchOptions(options));

/** A headless Chromium with a profile of its own, in which cookies of third parties are allowed, whatever its packager says. */
export const launchChromiumProfile = async (options: ChromiumOptions = {}): Promise<BrowserContext> => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-chromium-"));
  mkdirSync(join(folder, "Default"));
  const preferences = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(folder, launchOptions(options));
  // Its last processes write on for a moment.
  context.on("close", () => void rm(folder, { recursive: true, force: true, maxRetries: 20 }).catch(() => undefined));
  return context;
};
