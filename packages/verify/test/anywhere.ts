import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { casesOn, type Report } from "./conformance/conform.js";
import { bundleOf, type NamedRuntime, reportOf } from "./runtimes.js";
import { startWorld, type World } from "./world.js";

/** Runs the one file of cases, unchanged, in each of these runtimes. */
export const testAnywhere = (runtimes: readonly NamedRuntime[]): void => {
  // It waits for servers that hang, and other tests run beside it.
  vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

  describe.each(runtimes)("$title", (it) => {
    let world: World;
    let report: Report;
    beforeAll(async () => {
      const bundle = await bundleOf("conformance/conform.ts");
      world = await startWorld({
        "/page": { type: "text/html", text: "<!doctype html><title>A page</title>" },
        "/bundle.js": { type: "text/javascript", text: bundle },
      });
      report = await reportOf(it, { origin: world.origin, bundle });
    });
    afterAll(() => world.close());

    test.each(casesOn(it.runtime))("%s", (name) => {
      expect(report[name]).toBeNull();
    });
  });
};
