import { type Policy, type PolicyRules, policyWith } from "@pawl/engine";
import { type Duration, readDuration } from "./duration.js";
import type { EmbeddedOptions } from "./options.js";

/**
 * The rules of the engine as an application names them, the others at their defaults.
 * @throws SessionError `GENERAL_ERROR` for what is no duration, EngineError `invalid_input` for what is out of bounds.
 */
export const policyOf = (options: EmbeddedOptions): Policy => {
  const durations = {
    accessTokenValidity: options.accessTokenValidity,
    refreshTokenValidity: options.refreshTokenValidity,
    reuseWindow: options.reuseWindow,
    idleTimeout: options.idleTimeout,
    absoluteTimeout: options.absoluteTimeout,
    signingKeyUpdateInterval: options.signingKeyUpdateInterval,
    eventRetention: options.eventRetention,
  } satisfies { readonly [Name in keyof Policy]?: Duration | undefined };
  const others = {
    theftAction: options.theftAction,
    maxSessionsPerUser: options.maxSessionsPerUser,
    enableAntiCsrf: options.enableAntiCsrf,
    signingAlgorithm: options.signingAlgorithm,
    checkDatabase: options.checkDatabase,
  } satisfies { readonly [Name in keyof Policy]?: PolicyRules[Name] };
  const read = Object.entries(durations).map(([name, value]) => [
    name,
    value === undefined ? value : readDuration(name, value),
  ]);
  return policyWith({ ...(Object.fromEntries(read) as PolicyRules), ...others });
};
