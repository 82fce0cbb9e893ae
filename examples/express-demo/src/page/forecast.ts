import { heldBy, type Lineage, stateOf } from "./lineage.js";

/**
 * What would happen if the thief showed the stolen token now:
 * - `bound`: the session is bound to the browser's device, whose key the thief lacks
 * - `nothing`: there is no stolen token, or no session any more
 * - `twin`: it is the newest token, so that the thief cannot be told from its owner
 * - `second_tab`: the browser moved on a moment ago; within the reuse window the repeat gets the same successor
 * - `unconfirmed`: the browser moved on, but nobody has seen yet that the successor arrived
 * - `caught`: the successor has been used, no honest browser would show this token any more
 */
export type Forecast = "bound" | "nothing" | "twin" | "second_tab" | "unconfirmed" | "caught";

/** Foretells a replay from what the page knows. `sinceTurn` and `window` in milliseconds. */
export const forecastReplay = (
  lineage: Lineage | undefined,
  { sinceTurn, window, isBound }: { readonly sinceTurn: number; readonly window: number; readonly isBound: boolean },
): Forecast => {
  const stolen = lineage === undefined ? undefined : heldBy(lineage, "thief");
  if (lineage === undefined || stolen === undefined || lineage.end !== undefined) return "nothing";
  if (isBound) return "bound";
  const state = stateOf(lineage, stolen.seq);
  if (state === "newest") return "twin";
  if (state === "spent") return "caught";
  return sinceTurn <= window ? "second_tab" : "unconfirmed";
};
