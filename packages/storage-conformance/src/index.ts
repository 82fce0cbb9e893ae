import { describe } from "vitest";
import { testApply } from "./apply.js";
import { testClosing } from "./closing.js";
import { testCounts } from "./counts.js";
import { testCreate } from "./create.js";
import { testErasure } from "./erasure.js";
import { testEvents } from "./events.js";
import { testExpiry } from "./expiry.js";
import { testFeed } from "./feed.js";
import { testHostileValues } from "./hostile-values.js";
import { testImport } from "./import.js";
import { testLinks } from "./links.js";
import { testListing } from "./listing.js";
import { testLive } from "./live.js";
import { testMeta } from "./meta.js";
import { testNodes } from "./nodes.js";
import { testOutbox } from "./outbox/outbox.js";
import { testRevocation } from "./revocation.js";
import { testRotation } from "./rotation.js";
import { testSessionChange } from "./session-change.js";
import { testSigningKeys } from "./signing-keys.js";
import type { OpenStore } from "./store.js";
import { testUses } from "./uses.js";

export { failureOf, type ServerFailures, type ServerUnderTest, testServerFailures, works } from "./server-failures.js";
export {
  attemptOf,
  type OpenContext,
  type OpenStore,
  revokedIds,
  sessionRecord,
  signingKey,
  TestClock,
} from "./store.js";

/**
 * Registers the storage contract as vitest tests: an adapter that passes them is one.
 * @param open opens a store with the options that it is given; the kit migrates and closes it, and asks for a new location
 *   in every test.
 * @param options.shared whether a location opened twice, or again, is the same content: true except for a store that lives in
 *   one object's memory.
 * @example testStorage("my store", ({ location, ...options }) => openStorage(urlOf(location), options));
 */
export const testStorage = (name: string, open: OpenStore, options: { readonly shared?: boolean } = {}): void => {
  describe(name, () => {
    testCreate(open);
    testRotation(open);
    testApply(open);
    testUses(open);
    testRevocation(open);
    testErasure(open);
    testImport(open);
    testFeed(open);
    testListing(open);
    testLinks(open);
    testSessionChange(open);
    testLive(open);
    testExpiry(open);
    testSigningKeys(open);
    testMeta(open);
    testEvents(open);
    testOutbox(open);
    testCounts(open);
    testHostileValues(open);
    testClosing(open);
    if (options.shared !== false) testNodes(open);
  });
};
