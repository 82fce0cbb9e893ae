import { describe } from "vitest";
import type { OwnAnswers, Serve } from "./application.js";
import { type OpenBackend, openEmbedded } from "./backend.js";
import { testBinding } from "./binding.js";
import { testBrokenConnections } from "./broken-connections.js";
import { testHostileRequests } from "./hostile-requests.js";
import { createStart } from "./kit.js";
import { testLoggingOutElsewhere } from "./logging-out-elsewhere.js";
import { testRefreshing } from "./refreshing.js";
import { testRefusals } from "./refusals.js";
import { testSigningIn } from "./signing-in.js";
import { testSteppingUp } from "./stepping-up.js";

export { TestClock } from "./test-clock.js";
export { openEmbedded } from "./backend.js";
export { BACKCHANNEL_LOGOUT, TestIdentityProvider } from "./test-identity-provider.js";
export { Visitor } from "./visitor.js";
export type { KitBackend, KitRules, OpenBackend } from "./backend.js";
export type { Hooks, KitPawl, KitPayload, LateCalls, OwnAnswers, Serve, Served } from "./application.js";

/** What differs from the usual; nothing has to be given. */
export interface KitOptions extends OwnAnswers {
  /** Opens where sessions are kept: the engine in this process unless given. */
  readonly openBackend?: OpenBackend;
}

/**
 * Registers what every adapter has to do as vitest tests, over real HTTP.
 * @param serve starts the kit's application with the adapter; see `Serve`.
 */
export const testAdapter = (
  name: string,
  serve: Serve,
  { openBackend = openEmbedded, ...ownAnswers }: KitOptions = {},
): void => {
  describe(name, () => {
    const start = createStart(serve, { openBackend, ownAnswers });
    testSigningIn(start);
    testSteppingUp(start);
    testRefreshing(start);
    testRefusals(start);
    testBinding(start);
    testLoggingOutElsewhere(start, ownAnswers);
    testHostileRequests(start);
    testBrokenConnections(start);
  });
};
