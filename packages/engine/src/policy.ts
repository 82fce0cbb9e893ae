import { type Lifetimes, type Millis, millis, type SigningAlgorithm, type UsePolicy } from "@pawl/storage";
import { EngineError } from "./errors.js";
import { checkAudienceRule } from "./tokens/audience-rule.js";

/** What happens when a refresh token is used that no honest client can still hold. */
export type TheftAction = "revoke_session" | "revoke_user" | "report";

/** How soon a user has to authenticate again, for each assurance level of NIST SP 800-63B-4. */
export type PolicyPreset = "nist-aal1" | "nist-aal2" | "nist-aal3";

/**
 * Whether sessions are bound to a key of the browser's device: `off`: none is; `prefer`: those of browsers that can;
 * `require`: one that is not bound cannot be refreshed.
 */
export type DeviceBinding = "off" | "prefer" | "require";

/** The rules of one engine. Durations are milliseconds. */
export interface Policy {
  /** Sets the idle and absolute timeouts of `policyPresets`, and refuses longer ones. */
  readonly preset?: PolicyPreset | undefined;
  /** 1 h unless said otherwise. */
  readonly accessTokenValidity: Millis;
  /** 100 days unless said otherwise; must exceed `accessTokenValidity` and twice `reuseWindow` together. */
  readonly refreshTokenValidity: Millis;
  /** For how long a repeated refresh is answered with the same successor: 30 s unless said otherwise, 0 to 300 s. */
  readonly reuseWindow: Millis;
  readonly theftAction: TheftAction;
  /**
   * Ends a session that is neither used nor refreshed within it: at least a minute, off when absent. A client that makes a
   * request at least every half of it is never ended by it: see `accessTokenLife`.
   */
  readonly idleTimeout?: Millis | undefined;
  /** From the creation of a session to its end, whatever happens. Off when absent. */
  readonly absoluteTimeout?: Millis | undefined;
  /** For how long somebody may act for another user at a time: 1 h unless said otherwise. */
  readonly longestActing: Millis;
  /** `off` unless said otherwise. */
  readonly deviceBinding: DeviceBinding;
  /** Live sessions a user may have; the least recently refreshed ones are ended. No limit when absent. */
  readonly maxSessionsPerUser?: number | undefined;
  /** Whether sessions carry an anti-CSRF token, older ones from their next refresh on, and checks compare it. */
  readonly enableAntiCsrf: boolean;
  /** The algorithm of access tokens; token versions 1 and 2 are always RS256. */
  readonly signingAlgorithm: SigningAlgorithm;
  /**
   * With both, access tokens of the form `pawl` are those of RFC 9068 (`at+jwt`), and of that form no others are accepted. A
   * URL, which is the claim `iss` to the letter.
   */
  readonly issuer?: string | undefined;
  /** The claim `aud`: the APIs that the tokens are for, one at least. */
  readonly audience?: readonly string[] | undefined;
  /** Life of a dynamic signing key: 168 h unless said otherwise. */
  readonly signingKeyUpdateInterval: Millis;
  /** Whether every verification asks the database whether the session is live. */
  readonly checkDatabase: boolean;
  /** How long events are kept: 90 days unless said otherwise. */
  readonly eventRetention: Millis;
}

/** Some rules; what is left out or undefined keeps its default. */
export type PolicyRules = { readonly [Rule in keyof Policy]?: Policy[Rule] | undefined };

export const defaultPolicy: Policy = {
  accessTokenValidity: millis(3_600_000),
  refreshTokenValidity: millis(144_000 * 60_000),
  reuseWindow: millis(30_000),
  longestActing: millis(3_600_000),
  deviceBinding: "off",
  theftAction: "revoke_session",
  enableAntiCsrf: true,
  signingAlgorithm: "ES256",
  signingKeyUpdateInterval: millis(168 * 3_600_000),
  checkDatabase: false,
  eventRetention: millis(90 * 86_400_000),
};

/** A century: a token cannot express times far beyond it. */
const LONGEST = 36_500 * 86_400_000;

/** What each rule accepts in milliseconds, whichever way it is given: `config.yaml`, the options of an SDK, or an engine's. */
export const policyLimits = {
  accessTokenValidity: { least: 1000, most: LONGEST },
  refreshTokenValidity: { least: 1000, most: LONGEST },
  reuseWindow: { least: 0, most: 300_000 },
  idleTimeout: { least: 60_000, most: LONGEST },
  absoluteTimeout: { least: 1000, most: LONGEST },
  longestActing: { least: 60_000, most: 86_400_000 },
  signingKeyUpdateInterval: { least: 60_000, most: LONGEST },
  eventRetention: { least: 3_600_000, most: LONGEST },
} as const satisfies { readonly [Rule in keyof Policy]?: { readonly least: number; readonly most: number } };

/** The timeouts of each preset: NIST SP 800-63B-4 sections 2.1.3, 2.2.3 and 2.3.3. */
export const policyPresets = {
  "nist-aal1": { absoluteTimeout: millis(30 * 86_400_000) },
  "nist-aal2": { absoluteTimeout: millis(24 * 3_600_000), idleTimeout: millis(3_600_000) },
  "nist-aal3": { absoluteTimeout: millis(12 * 3_600_000), idleTimeout: millis(15 * 60_000) },
} as const satisfies Readonly<Record<PolicyPreset, Pick<Policy, "absoluteTimeout" | "idleTimeout">>>;

/**
 * What a refresh token's validity has to exceed. A refresh inside the reuse window extends nothing, nor does one within a
 * window of when its copy was sealed, so a rotation may be two windows old when the last such answer is given. The access
 * token of that answer has to run out before the session does.
 */
export const refreshTokenValidityFloor = ({
  accessTokenValidity,
  reuseWindow,
}: Pick<Policy, "accessTokenValidity" | "reuseWindow">): number => accessTokenValidity + 2 * reuseWindow;

/**
 * The default policy with some rules changed.
 * @throws EngineError `invalid_input` naming the rule, its value and what is accepted.
 */
export const policyWith = (rules: PolicyRules = {}): Policy => {
  const given = Object.entries(rules).filter(([, value]) => value !== undefined);
  const policy: Policy = {
    ...defaultPolicy,
    ...timeoutsOf(rules.preset),
    ...(Object.fromEntries(given) as Partial<Policy>),
  };
  for (const [rule, { least, most }] of Object.entries(policyLimits))
    wholeNumber(`${rule} (ms)`, policy[rule as keyof typeof policyLimits], { least, most });
  wholeNumber("maxSessionsPerUser", policy.maxSessionsPerUser, { least: 1 });
  oneOf("theftAction", policy.theftAction, ["revoke_session", "revoke_user", "report"]);
  oneOf("signingAlgorithm", policy.signingAlgorithm, ["ES256", "RS256"]);
  oneOf("deviceBinding", policy.deviceBinding, ["off", "prefer", "require"]);
  checkBinding(policy);
  checkPreset(policy);
  checkAudienceRule(policy);
  const floor = refreshTokenValidityFloor(policy);
  if (policy.refreshTokenValidity <= floor)
    throw new EngineError(
      "invalid_input",
      `refreshTokenValidity (ms) must be greater than accessTokenValidity and twice reuseWindow together (${floor}), not ${policy.refreshTokenValidity}`,
    );
  return policy;
};

const timeoutsOf = (preset: PolicyPreset | undefined): Pick<Policy, "absoluteTimeout" | "idleTimeout"> => {
  if (preset === undefined) return {};
  oneOf("preset", preset, Object.keys(policyPresets));
  return policyPresets[preset];
};

const checkPreset = ({ preset, ...policy }: Policy): void => {
  for (const [rule, most = LONGEST] of Object.entries(timeoutsOf(preset))) {
    const value = policy[rule as "absoluteTimeout" | "idleTimeout"];
    if (value !== undefined && value <= most) continue;
    throw new EngineError(
      "invalid_input",
      `${rule} (ms) must be at most ${most} with the preset ${preset}, not ${value}`,
    );
  }
};

/** Browsers sign six times in nine minutes at most, and begin two minutes before an access token ends. */
export const LEAST_BOUND_LIFE = 300_000;

const checkBinding = (policy: Policy): void => {
  const life = accessTokenLife(policy);
  if (policy.deviceBinding === "off" || life >= LEAST_BOUND_LIFE) return;
  const because = life < policy.accessTokenValidity ? " (which idleTimeout shortens)" : "";
  throw new EngineError(
    "invalid_input",
    `accessTokenValidity (ms) must be at least ${LEAST_BOUND_LIFE} with deviceBinding, not ${life}${because}`,
  );
};

const wholeNumber = (
  rule: string,
  value: number | undefined,
  { least, most }: { readonly least: number; readonly most?: number },
): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= (most ?? value))) return;
  const upper = most === undefined ? "" : ` and at most ${most}`;
  throw new EngineError(
    "invalid_input",
    `${rule} must be a whole number of at least ${least}${upper}, not ${String(value)}`,
  );
};

const oneOf = (rule: string, value: string, accepted: readonly string[]): void => {
  if (!accepted.includes(value))
    throw new EngineError("invalid_input", `${rule} must be one of ${accepted.join(", ")}, not ${value}`);
};

/** What storage has to know of a policy when it mints. */
export const lifetimesOf = ({ refreshTokenValidity, idleTimeout, absoluteTimeout }: Policy): Lifetimes => ({
  refreshValidity: refreshTokenValidity,
  idleTimeout,
  absoluteTimeout,
});

/** What storage has to know of a policy when uses are reported. */
export const usePolicyOf = (policy: Policy): UsePolicy => ({
  window: policy.reuseWindow,
  activityInterval: activityInterval(policy),
  idleTimeout: policy.idleTimeout,
});

/** How far a session's last activity may lie behind before it is written: a minute, or a quarter of a short idle timeout. */
export const activityInterval = ({ idleTimeout }: Pick<Policy, "idleTimeout">): Millis =>
  millis(Math.min(60_000, Math.floor((idleTimeout ?? LONGEST) / 4)));

/**
 * How long an access token lives at most, in milliseconds. With an idle timeout it leaves half of that for the client: what
 * was last written of its activity may lie an activity interval behind, a use of the token may go unreported until it runs
 * out, and then the next request refreshes.
 */
export const accessTokenLife = (policy: Pick<Policy, "accessTokenValidity" | "idleTimeout">): number =>
  policy.idleTimeout === undefined
    ? policy.accessTokenValidity
    : Math.min(policy.accessTokenValidity, Math.floor(policy.idleTimeout / 2) - activityInterval(policy));
