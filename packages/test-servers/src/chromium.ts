import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
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
  /**
   * Binds sessions to keys (Device Bound Session Credentials), kept in software: Linux has no others. Browsers do that over
   * a certificate alone that they trust.
   */
  readonly deviceBinding?: {
    /** The file of the server's certificate, in PEM. */
    readonly certificate: string;
    /** Whether the browser signs but six times in nine minutes for a site, as everywhere else. */
    readonly hasQuota?: boolean;
  };
}

/** What a browser trusts a certificate by that no authority of its own has signed: base64 SHA-256 of its public key. */
const keyDigest = (certificate: string): string => {
  const { publicKey } = new X509Certificate(readFileSync(certificate));
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
};

const deviceFlags = ({ certificate, hasQuota = false }: NonNullable<ChromiumOptions["deviceBinding"]>) => {
  const features = hasQuota ? "DeviceBoundSessions" : "DeviceBoundSessions:RefreshQuota/false";
  return [
    `--enable-features=${features},EnableBoundSessionCredentialsSoftwareKeysForManualTesting`,
    // Ignoring errors of all certificates would not do: over those nothing is bound.
    `--ignore-certificate-errors-spki-list=${keyDigest(certificate)}`,
  ];
};

const launchOptions = ({ flags: more = [], without = [], deviceBinding }: ChromiumOptions) => ({
  executablePath: findProgram("chromium"),
  args: [...flags, ...more, ...(deviceBinding === undefined ? [] : deviceFlags(deviceBinding))],
  ignoreDefaultArgs: [...without],
});

/**
 * A headless Chromium. Its contexts are private windows, in which cookies of third parties are blocked.
 * @throws Error with one line that says how to get one
 */
export const launchChromium = (options: ChromiumOptions = {}): Promise<Browser> =>
  chromium.launch(launchOptions(options));

/**
 * A headless Chromium with a profile of its own, in which cookies of third parties are allowed, whatever its packager says.
 * @param options.profile the folder of the profile, which is kept, so that the browser can be started again; one for this
 * time unless given.
 */
export const launchChromiumProfile = async (
  options: ChromiumOptions & { readonly profile?: string } = {},
): Promise<BrowserContext> => {
  const folder = options.profile ?? mkdtempSync(join(tmpdir(), "pawl-chromium-"));
  if (!existsSync(join(folder, "Default"))) {
    mkdirSync(join(folder, "Default"));
    const preferences = { profile: { block_third_party_cookies: false, cookie_controls_mode: 0 } };
    writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  }
  const context = await chromium.launchPersistentContext(folder, launchOptions(options));
  // Its last processes write on for a moment.
  if (options.profile === undefined)
    context.on("close", () => void rm(folder, { recursive: true, force: true, maxRetries: 20 }).catch(() => undefined));
  return context;
};
