import { createRequire } from "node:module";
import type * as ExpressEntry from "supertokens-node";
import type * as SessionEntry from "supertokens-node/session.js";
import type { Outcome } from "./client.js";

const require = createRequire(import.meta.url);

/**
 * A private copy of the unmodified package: it keeps its hosts and its handshake in module state, so every test that
 * calls `init` with other hosts needs one of its own.
 */
const load = (entry: string): unknown => {
  for (const file of Object.keys(require.cache))
    if (file.includes("/node_modules/supertokens-node/")) delete require.cache[file];
  return require(entry);
};

export const expressSdk = (): typeof ExpressEntry => load("supertokens-node") as typeof ExpressEntry;
export const sessionSdk = (): typeof SessionEntry => load("supertokens-node/session") as typeof SessionEntry;

/** What the SDK throws: a plain object, not an `Error`. */
export interface SdkFailure {
  readonly errType: number;
  /** An `Error`; who was robbed, with a theft. */
  readonly err: unknown;
}

/** The failure of a call that must fail. */
export const failureOf = async (call: Promise<unknown>): Promise<SdkFailure> => {
  try {
    await call;
  } catch (failure) {
    return failure as SdkFailure;
  }
  throw new Error("The call was expected to fail and did not");
};

/**
 * A failure in a form that both entries can be compared in, and that JSON can hold.
 * @throws the failure itself when it is none of the SDK's.
 */
export const failureOutcome = (failure: unknown): Outcome => {
  const { errType, err } = failure as Partial<SdkFailure>;
  if (errType === undefined) throw failure;
  if (err instanceof Error) return { errType, message: err.message };
  return { errType, robbed: err as { readonly sessionHandle: string; readonly userId: string } };
};
