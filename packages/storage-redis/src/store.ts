import type { ScriptAnswer, ScriptCalls } from "./connection/script-calls.js";
import type { KeySpace, Tag } from "./key-space.js";
import type { Script } from "./scripts/lua.js";

/** What every operation is done with. */
export interface Store {
  readonly calls: ScriptCalls;
  readonly keys: KeySpace;
  /** Which types of events go to the outbox too, and for whom: a blank, the type, `=`, the destinations with `,` between. */
  readonly outbox: string;
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

const trailKeys = ["events", "trail"];

/** What holds the outbox of a tag. */
export const outboxKeys = ["outbox", "queues", "due"] as const;

/** The keys that a script may write when it appends events. */
export const eventKeys = ({ outbox }: Store): readonly string[] =>
  outbox === "" ? trailKeys : [...trailKeys, ...outboxKeys, "turn"];

/** ARGV[3] of a script that appends events: what every key of the tag begins with, and `Store.outbox`. */
export const eventPlace = ({ keys, outbox }: Store, tag: Tag): string => keys.of(tag) + outbox;
