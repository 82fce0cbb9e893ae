import type { ScriptCalls } from "./connection/script-calls.js";
import type { KeySpace } from "./key-space.js";

/** What every operation is done with. */
export interface Store {
  readonly calls: ScriptCalls;
  readonly keys: KeySpace;
}
