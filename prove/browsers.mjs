// Tabs of real browsers whose access token expires again and again: tests of the browser SDK, for longer.
import { spawnSync } from "node:child_process";
import { findOrInstallPrograms } from "@pawl/test-servers";

const root = new URL("..", import.meta.url).pathname;

/** A proof that is a test, which takes the number of expiries from its environment. */
const asTest =
  (
    /** @type {import("@pawl/test-servers").ProgramName} */ program,
    /** @type {string} */ note,
    /** @type {string[]} */ ...parameters
  ) =>
  async (/** @type {number} */ expiries) => {
    const env = {
      ...process.env,
      ...findOrInstallPrograms(() => undefined, [program]),
      PAWL_EXPIRIES: String(expiries),
    };
    const { status, stdout } = spawnSync("npx", ["vitest", "run", ...parameters], { cwd: root, encoding: "utf8", env });
    if (status !== 0) console.error(stdout);
    return { count: expiries, failures: status === 0 ? 0 : 1, note };
  };

export const tabs = asTest("chromium", "one refresh each in the browser, no logout", "packages/web/test/tabs.test.ts");
export const firefox = asTest("firefox", "over WebDriver BiDi", "--config", "prove/vitest.config.ts", "firefox");
