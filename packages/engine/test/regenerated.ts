import { expect } from "vitest";
import type { RefusedOutcome, RegenerateOutcome } from "../src/index.js";

/** What a change by access token gave, which must have succeeded. */
export const regenerated = (
  outcome: RegenerateOutcome | RefusedOutcome,
): Extract<RegenerateOutcome, { kind: "regenerated" }> => {
  expect(outcome).toMatchObject({ kind: "regenerated" });
  return outcome as Extract<RegenerateOutcome, { kind: "regenerated" }>;
};
