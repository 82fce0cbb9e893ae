import { type AnySessionError, type ErrorType, RETRY_AFTER, SessionError } from "./session-error.js";

/** The one table of what a browser is told. Only the second and the last come with cleared cookies. */
const answers: Readonly<Record<ErrorType, { readonly status: 401 | 503; readonly message: string }>> = {
  [SessionError.GENERAL_ERROR]: { status: 503, message: "try again" },
  [SessionError.UNAUTHORISED]: { status: 401, message: "unauthorised" },
  [SessionError.TRY_REFRESH_TOKEN]: { status: 401, message: "try refresh token" },
  [SessionError.TOKEN_THEFT_DETECTED]: { status: 401, message: "token theft detected" },
};

/** What the session routes and error handlers answer. */
export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object | undefined;
}

/** An answer that a page's SDK understands. */
export const errorAnswer = ({ errType, retryAfter = RETRY_AFTER }: AnySessionError): RouteAnswer => {
  const { status, message } = answers[errType];
  return { status, body: { message }, ...(status === 503 ? { headers: { "Retry-After": String(retryAfter) } } : {}) };
};
