import { describe } from "vitest";
import type { Serve } from "./application.js";
import { type OpenBackend, openEmbedded } from "./backend.js";
import { testHostileRequests } from "./hostile-requests.js";
import { createStart } from "./kit.js";
import { testRefreshing } from "./refreshing.js";
import { testRefusals } from "./refusals.js";
import { testSigningIn } from "./signing-in.js";

export { TestClock } from "./test-clock.js";
export { Visitor } from "./visitor.js";
export type { KitBackend, KitRules, OpenBackend } from "./backend.js";
export type { Hooks, KitPawl, KitPayload, Serve, Served } from "./application.js";

/**
 * Registers what every adapter has to do as vitest tests, over real HTTP.
 * @param serve starts the kit's application with the adapter; see `Serve`.
 * @param openBackend opens where sessions are kept: the engine in this process unless given.
 */
export const testAdapter = (name: string, serve: Serve, openBackend: OpenBackend = openEmbedded): void => {
  describe(name, () => {
    const start = createStart(serve, openBackend);
    testSigningIn(start);
    testRefreshing(start);
    testRefusals(start);
    testHostileRequests(start);
  });
};
