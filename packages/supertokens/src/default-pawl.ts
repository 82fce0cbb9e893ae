import { createPawl, type Pawl } from "./pawl.js";
import type { CoreHost } from "@pawl/node/backend";
import type { PawlOptions } from "./options.js";
import { generalError } from "./session-error.js";

/** The one instance behind the documented functions: the SuperTokens 1.0 SDK has no other way to hand it on. */
let instance: Pawl | undefined;

/**
 * Says where sessions are kept: the hosts of a core, or the options of `createPawl`. The first call wins. Opens the
 * backend in the background; a core that is down is asked again at the next call.
 * @throws SessionError `GENERAL_ERROR` for an option that cannot be right.
 */
export const init = (config: readonly CoreHost[] | PawlOptions): void => {
  if (instance !== undefined) return;
  instance = createPawl(Array.isArray(config) ? { core: config as readonly CoreHost[] } : (config as PawlOptions));
};

export const isInitialised = (): boolean => instance !== undefined;

/** @throws SessionError `GENERAL_ERROR` before `init`. */
export const defaultPawl = (): Pawl => {
  if (instance === undefined)
    throw generalError("Please call the init function before using any other functions of the Pawl library");
  return instance;
};

/** Takes the place of what `init` made, in tests; nothing lets `init` be called again. @returns what stood before. */
export const replaceDefaultPawl = (replacement: Pawl | undefined): Pawl | undefined => {
  const before = instance;
  instance = replacement;
  return before;
};
