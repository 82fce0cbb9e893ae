import { describe } from "vitest";
import { openTestStore, type OpenStore, type TestStore } from "../store.js";
import { testAppending } from "./appending.js";
import { testDestinations } from "./destinations.js";
import { testKeeping } from "./keeping.js";
import { outbox } from "./outbox-store.js";
import { testSettling } from "./settling.js";
import { testTaking } from "./taking.js";

/** The outbox: what comes into it, who takes it, what becomes of it. */
export const testOutbox = (open: OpenStore): void => {
  const openOutbox = (): Promise<TestStore> => openTestStore(open, { outbox });
  describe("the outbox", () => {
    testAppending(openOutbox, open);
    testTaking(openOutbox);
    testSettling(openOutbox);
    testKeeping(openOutbox);
    testDestinations(open);
  });
};
