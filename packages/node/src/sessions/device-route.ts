import type { RefreshAnswer } from "../backend/session-backend.js";
import { askedSession, deviceProof, giveChallenge } from "../http/device-headers.js";
import type { Exchange } from "../http/exchange.js";
import { type Answer, errorAnswer, RETRY_AFTER, SessionError } from "../session-error.js";
import { type PresentedTokens, refreshBound } from "./request-sessions.js";
import type { Serving } from "./serving.js";

const answer = (status: number, body: object): Answer => ({
  status,
  headers: { "Cache-Control": "no-store" },
  body,
});

/**
 * Nothing can be told: the browser keeps its key and tries again. Any other 4xx than 403 with a challenge destroys the key,
 * and so does 429 (measured with Chromium 156).
 */
export const untold = (message: string): Answer =>
  errorAnswer(new SessionError("UNKNOWN", message, { retryAfter: RETRY_AFTER }));

/** The browser is to forget the key of this session, which it holds no refresh token of, or none that is good. */
const forget = (id: string): Answer => answer(200, { session_identifier: id, continue: false });

/** What the browser keeps to (DBSC draft, *JSON Session Instruction Format*): it may change with any answer. */
const instructions = ({ cookies, options }: Serving, exchange: Exchange, handle: string): object => {
  const { origins = [] } = options;
  return {
    session_identifier: handle,
    scope: { include_site: false },
    credentials: [{ type: "cookie", ...cookies.watched(exchange) }],
    ...(origins.length > 0 && { allowed_refresh_initiators: origins.map((origin) => new URL(origin).hostname) }),
  };
};

/** A browser brings the key that it made for the session it has just been given. Whatever comes of it, the login stands. */
const register = async (it: Serving, exchange: Exchange, proof: string): Promise<Answer> => {
  const refreshTokens = it.cookies.read(exchange, "refresh");
  const since = it.monotonic();
  const outcome = await it.backend.bind({ refreshTokens, proof, form: "pawl" });
  if (outcome.kind === "refused") return answer(403, { message: outcome.message });
  const { handle, challenge, issued } = outcome;
  if (it.requests.isLate(exchange)) return untold("the answer would come too late");
  if (issued === undefined) it.cookies.expireAccess(exchange);
  else it.requests.of(exchange).answer.refreshed(issued, { transfer: "cookie", since });
  giveChallenge(exchange, challenge, handle);
  return answer(200, instructions(it, exchange, handle));
};

/** What became of a refresh, as the browser has to be told it: see its own rules in the guide "Stolen cookies". */
const told = (it: Serving, exchange: Exchange, id: string, outcome: RefreshAnswer): Answer => {
  switch (outcome.kind) {
    case "refreshed":
      if (it.requests.isLate(exchange)) return untold("the answer would come too late");
      return outcome.session.bound === true ? answer(200, instructions(it, exchange, id)) : forget(id);
    case "unproven":
      giveChallenge(exchange, outcome.challenge, id);
      return answer(403, { message: outcome.message });
    case "other_session":
    case "unauthorised":
    case "token_reuse":
      return forget(id);
  }
};

const refresh = async (it: Serving, exchange: Exchange, id: string, proof: string | undefined): Promise<Answer> => {
  const tokens = it.cookies.read(exchange, "refresh");
  // Browsers keep the cookie to themselves where a page of another site has them refresh, so that it may be there all the same.
  if (tokens.length === 0)
    return (await it.backend.get(id)) === undefined ? forget(id) : untold("there is no refresh token");
  const presented: PresentedTokens = { tokens, transfer: "cookie", boundSession: id, proof };
  return told(it, exchange, id, await refreshBound(it, exchange, presented));
};

/**
 * What browsers with Device Bound Session Credentials ask: to bind the session that they were just given to a key of their
 * device, and to refresh it. It answers 200, 403 or 503 and nothing else. No page of another site can send these headers.
 * @throws SessionError `UNKNOWN`.
 */
export const answerDevice = async (it: Serving, exchange: Exchange): Promise<Answer> => {
  const [id, proof] = [askedSession(exchange), deviceProof(exchange)];
  if (it.cookies.watched(exchange) === undefined) return untold("sessions are bound over https alone");
  if (it.requests.isLate(exchange)) return untold("the request has waited for too long");
  if (id !== undefined) return refresh(it, exchange, id, proof);
  return proof === undefined ? untold("nothing was asked for") : register(it, exchange, proof);
};
