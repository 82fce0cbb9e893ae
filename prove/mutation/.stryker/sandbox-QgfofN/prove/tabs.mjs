// Five tabs and a service worker of a real browser whose access token expires again and again: the tests', for longer.
import { spawnSync } from "node:child_process";
import { findOrInstallPrograms } from "@pawl/test-servers";

const root = new URL("..", import.meta.url).pathname;

export const tabs = async (expiries) => {
  const programs = findOrInstallPrograms(() => undefined);
  const { status, stdout } = spawnSync("npx", ["vitest", "run", "packages/web/test/tabs.test.ts"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...programs, PAWL_EXPIRIES: String(expiries) },
  });
  if (status !== 0) console.error(stdout);
  return { count: expiries, failures: status === 0 ? 0 : 1, note: "one refresh each in the browser, no logout" };
};
