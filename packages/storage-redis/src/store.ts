import type { ScriptAnswer, ScriptCalls } from "./connection/script-calls.js";
import type { KeySpace, Tag } from "./key-space.js";
import type { Script } from "./scripts/lua.js";

/** What every operation is done with. */
export interface Store {
  readonly calls: ScriptCalls;
  readonly keys: KeySpace;
}

/** Runs a script on keys of one tag, which are named without what all keys of the tag begin with. */
export const runOn = (
  { calls, keys }: Store,
  tag: Tag,
  call: { readonly script: Script; readonly keys: readonly string[]; readonly args?: readonly (string | number)[] },
): Promise<ScriptAnswer> => {
  const prefix = keys.of(tag);
  return calls.run({ ...call, tag, keys: call.keys.map((name) => prefix + name) });
};
