import type { Lifetimes, UsePolicy } from "@pawl/storage";
import { EngineError } from "./errors.js";
import { defaultPolicy, type Policy } from "./policy.js";

/** The longest reuse window: five minutes, in milliseconds. */
const MAX_REUSE_WINDOW = 300_000;

/**
 * The default policy with some rules changed.
 * @throws EngineError `invalid_input` naming the rule, its value and what is accepted.
 */
export const policyWith = (rules: Partial<Policy> = {}): Policy => {
  const policy: Policy = { ...defaultPolicy, ...rules };
  duration("accessTokenValidity", policy.accessTokenValidity, { least: 1000 });
  duration("refreshTokenValidity", policy.refreshTokenValidity, { least: policy.accessTokenValidity + 1 });
  duration("reuseWindow", policy.reuseWindow, { least: 0, most: MAX_REUSE_WINDOW });
  duration("idleTimeout", policy.idleTimeout, { least: 1000 });
  duration("absoluteTimeout", policy.absoluteTimeout, { least: 1000 });
  duration("signingKeyUpdateInterval", policy.signingKeyUpdateInterval, { least: 1000 });
  duration("eventRetention", policy.eventRetention, { least: 0 });
  wholeNumber("maxSessionsPerUser", policy.maxSessionsPerUser, { least: 1 });
  oneOf("theftAction", policy.theftAction, ["revoke_session", "revoke_user", "report"]);
  oneOf("signingAlgorithm", policy.signingAlgorithm, ["ES256", "RS256"]);
  return policy;
};

interface Bounds {
  readonly least: number;
  readonly most?: number;
}

const wholeNumber = (
  rule: string,
  value: number | undefined,
  { least, most = Number.MAX_SAFE_INTEGER }: Bounds,
): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return;
  const upper = most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`;
  throw new EngineError(
    "invalid_input",
    `${rule} must be a whole number of at least ${least}${upper}, not ${String(value)}`,
  );
};

/** A century: beyond it times would leave what a token can say. */
const LONGEST = 36_525 * 86_400_000;

const duration = (rule: string, value: number | undefined, { least, most = LONGEST }: Bounds): void =>
  wholeNumber(`${rule} (ms)`, value, { least, most });

const oneOf = (rule: string, value: string, accepted: readonly string[]): void => {
  if (!accepted.includes(value))
    throw new EngineError("invalid_input", `${rule} must be one of ${accepted.join(", ")}, not ${value}`);
};

/** What storage has to know of a policy when it mints. */
export const lifetimesOf = ({ refreshTokenValidity, idleTimeout, absoluteTimeout }: Policy): Lifetimes => ({
  refreshValidity: refreshTokenValidity,
  ...(idleTimeout === undefined ? {} : { idleTimeout }),
  ...(absoluteTimeout === undefined ? {} : { absoluteTimeout }),
});

/** What storage has to know of a policy when uses are reported. */
export const usePolicyOf = ({ reuseWindow, idleTimeout }: Policy): UsePolicy => ({
  window: reuseWindow,
  ...(idleTimeout === undefined ? {} : { idleTimeout }),
});
