import { accessTokenLife, type DeviceBinding, formatDuration, LEAST_BOUND_LIFE, policyPresets } from "@pawl/engine";
import { type Millis, millis } from "@pawl/storage";
import type { Related } from "./config-key.js";

/* What rules of sessions are checked for that depend on others: the end of "'key' …" where one is not accepted. */

type Timeouts = Partial<Record<"idleTimeout" | "absoluteTimeout", Millis>>;

const timeoutsOf = ({ session_preset }: Related): Timeouts =>
  session_preset === undefined ? {} : policyPresets[session_preset];

/** Refuses a timeout that is longer than the preset's. */
export const withinPreset =
  (rule: keyof Timeouts) =>
  (value: number, related: Related): string | undefined => {
    const most = timeoutsOf(related)[rule] ?? value;
    return value <= most
      ? undefined
      : `must be at most ${formatDuration(most)} with the session_preset ${related.session_preset}`;
  };

/** Refuses to bind sessions whose access tokens live too short. */
export const bindingCheck = (value: DeviceBinding, related: Related): string | undefined => {
  const { access_token_validity, session_idle_timeout: idle } = related;
  const idleTimeout = idle === undefined ? timeoutsOf(related).idleTimeout : millis(idle);
  const life = accessTokenLife({ accessTokenValidity: millis(access_token_validity * 1000), idleTimeout });
  return value === "off" || life >= LEAST_BOUND_LIFE
    ? undefined
    : "must be off when access tokens live less than 5 minutes: see 'access_token_validity' and 'session_idle_timeout'";
};
