import type { Assurance } from "../options/conditions.js";
import type { BackendOptions } from "../options/options.js";
import { SessionError } from "../session-error.js";
import type { Exchange } from "./exchange.js";

/**
 * RFC 9470 section 3. It has no parameter for methods: `amr_values` is ours, and whoever does not know it passes over it
 * (RFC 9110 section 11.2).
 */
const challengeOf = ({ maxAge, methods, levels }: Assurance): string =>
  [
    'Bearer error="insufficient_user_authentication"',
    ...(levels.length === 0 ? [] : [`acr_values="${levels.join(" ")}"`]),
    ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
    ...(methods.length === 0 ? [] : [`amr_values="${methods.join(" ")}"`]),
  ].join(", ");

/** Lets pages of other origins read the challenge, and gives the error that carries it. */
export const stepUpRefusal = (
  exchange: Exchange,
  assurance: Assurance,
  { frontend }: Pick<BackendOptions, "frontend">,
): SessionError => {
  if (exchange.canWrite()) exchange.appendHeader("Access-Control-Expose-Headers", "WWW-Authenticate");
  return new SessionError("STEP_UP", "the user has to prove again who they are", {
    challenge: challengeOf(assurance),
    // Its page takes 401 for an access token that has run out, and would refresh without end.
    status: frontend === undefined ? undefined : 403,
  });
};
