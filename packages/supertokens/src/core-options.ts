import { type CoreHost, coreUrl } from "@pawl/node/backend";
import { type Duration, readDuration } from "./duration.js";
import type { CoreOptions } from "./options.js";
import { generalError, shown } from "./session-error.js";

/** The durations of a core's client, in ms. @throws SessionError `GENERAL_ERROR`. */
export const coreDurations = (options: CoreOptions) => {
  const timeout = (name: string, value: Duration): number => {
    const duration = readDuration(name, value);
    if (duration === 0) throw generalError(`${name} must not be 0`);
    return duration;
  };
  return {
    tryTimeout: timeout("tryTimeout", options.tryTimeout ?? "5s"),
    callTimeout: timeout("callTimeout", options.callTimeout ?? "15s"),
    feedCutAfter: readDuration("feedCutAfter", options.feedCutAfter ?? "30s"),
  };
};

/** @throws SessionError `GENERAL_ERROR` for an option that cannot be right. */
export const checkCoreOptions = (options: CoreOptions): void => {
  const { core, whenFeedIsCut = "trust" } = options;
  if (!Array.isArray(core) || core.length === 0) throw generalError("Please provide at least one Pawl core's address");
  for (const host of core) coreUrl(host as CoreHost | string);
  coreDurations(options);
  if (!["trust", "ask"].includes(whenFeedIsCut))
    throw generalError(`whenFeedIsCut must be "trust" or "ask", not ${shown(whenFeedIsCut)}`);
};
