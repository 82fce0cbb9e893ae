import type { Exchange } from "../http/exchange.js";
import { stepUpRefusal } from "../http/step-up.js";
import { isAssured, type Requirement } from "../options/conditions.js";
import { after } from "./after.js";
import { findSession } from "./request-sessions.js";
import type { Found, Serving } from "./serving.js";
import type { RequestSession } from "../session.js";
import { SessionError } from "../session-error.js";

/** @throws SessionError where there is no session. */
export const foundSession = (found: Found): RequestSession => {
  if (found.kind === "session") return found.session;
  throw found.error;
};

/**
 * The session of a request that has all that is required; at once where nothing has to be waited for.
 * @throws SessionError as `findSession`, and `FORBIDDEN`, `STEP_UP`. Whom a condition refuses is not asked to step up.
 */
export const requireSession = (
  it: Serving,
  exchange: Exchange,
  requirement: Requirement,
): RequestSession | Promise<RequestSession> => {
  const { csrf, where, assurance } = requirement;
  return after(findSession(it, exchange, { csrf, needsAuth: assurance !== undefined }), (found) => {
    const session = foundSession(found);
    if (session.actor !== undefined && !requirement.admitsActors)
      throw new SessionError("FORBIDDEN", "this route is closed to whoever acts for a user");
    if (where === undefined) return assured(it, exchange, { session, assurance });
    return Promise.resolve(where(session as never)).then((passes) => {
      if (passes) return assured(it, exchange, { session, assurance });
      throw new SessionError("FORBIDDEN", "the condition of this route refused the session");
    });
  });
};

const assured = (
  { backend, options }: Serving,
  exchange: Exchange,
  { session, assurance }: { readonly session: RequestSession; readonly assurance: Requirement["assurance"] },
): RequestSession => {
  if (assurance === undefined) return session;
  const { auth, actor } = session;
  if (auth !== undefined && isAssured(assurance, auth, backend.now())) return session;
  // Nobody can step up then, so nobody is asked to.
  if (actor !== undefined)
    throw new SessionError("FORBIDDEN", "this route asks for a step-up, which has to come before one acts for a user");
  throw stepUpRefusal(exchange, assurance, options);
};
