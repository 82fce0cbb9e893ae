import type { LogoutAnswer } from "../backend/session-backend.js";
import type { Exchange } from "./exchange.js";
import { type Answer, errorAnswer, SessionError } from "../session-error.js";

/** The most bytes of a form with a logout token. */
const MOST_BYTES = 65_536;

const answer = (status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "Cache-Control": "no-store", ...headers },
  body,
});

const refusal = (error_description: string): Answer => answer(400, { error: "invalid_request", error_description });

/**
 * Answers an identity provider that posts a logout token (OpenID Connect Back-Channel Logout 1.0, sections 2.5 and 2.8): 200,
 * 400, and 503 while it cannot be told, so that it is sent again.
 * @param receive throws SessionError `UNKNOWN`.
 */
export const answerLogout = async (
  exchange: Exchange,
  receive: (logoutToken: string) => Promise<LogoutAnswer>,
): Promise<Answer> => {
  const form = await exchange.form(MOST_BYTES);
  if (form === undefined) return refusal(`a form of at most ${MOST_BYTES} bytes is wanted`);
  const [token, ...others] = form.getAll("logout_token");
  if (token === undefined || others.length > 0) return refusal("the form has to hold one logout_token");
  try {
    const outcome = await receive(token);
    return outcome.kind === "ended" ? answer(200, { ended: outcome.ended }) : refusal(outcome.message);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    const { status, headers } = errorAnswer(error);
    return answer(status, { error: "temporarily_unavailable" }, headers);
  }
};
