import type { Verification } from "../../src/index.js";
import type { WorldClient } from "./world-client.js";

export type Runtime = "node" | "deno" | "bun" | "workerd" | "chromium";

/** One thing that holds in every runtime of these. */
export interface Case {
  readonly on?: readonly Runtime[];
  run(world: WorldClient, runtime: Runtime): Promise<void>;
}

export type Cases = Readonly<Record<string, Case>>;

/** An outcome in one word: why it is not valid, or for a valid one whether the end was looked for. */
export const wordOf = (found: Verification<object>): string =>
  found.kind === "valid" ? found.revocation : `${found.kind} ${found.why} ${found.status}`;
