import type { EndReason, UserId } from "@pawl/storage";
import type { SessionHandle } from "@pawl/engine";

/**
 * - `UNAUTHORISED` (401): nobody is logged in; `reason` says why a session ended, where that may be told
 * - `TRY_REFRESH` (401): there may be a session, and a refresh would tell, which this request could not do itself
 * - `TOKEN_THEFT` (401): a refresh token came back that no honest client could still hold; the session has ended
 * - `FORBIDDEN` (403): somebody is logged in, and the condition of the route refused them
 * - `STEP_UP` (401): somebody is logged in, and has to prove again who they are; `challenge` says how (RFC 9470)
 * - `CSRF` (403): another site had this request sent
 * - `UNKNOWN` (503): nothing is known of the session, because a store or a core did not answer, or a refresh was asked for
 *   long after the request had come; cookies are kept
 */
export type SessionErrorCode =
  | "UNAUTHORISED"
  | "TRY_REFRESH"
  | "TOKEN_THEFT"
  | "FORBIDDEN"
  | "STEP_UP"
  | "CSRF"
  | "UNKNOWN";

/** Status and wire message of each code; the messages are those that released browser SDKs compare. */
const told = {
  UNAUTHORISED: { status: 401, message: "unauthorised" },
  TRY_REFRESH: { status: 401, message: "try refresh token" },
  TOKEN_THEFT: { status: 401, message: "token theft detected" },
  FORBIDDEN: { status: 403, message: "forbidden" },
  STEP_UP: { status: 401, message: "confirm who you are" },
  CSRF: { status: 403, message: "this request came from another site" },
  UNKNOWN: { status: 503, message: "try again" },
} as const satisfies Record<SessionErrorCode, { status: number; message: string }>;

export interface SessionErrorDetails {
  readonly reason?: EndReason | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** With `TOKEN_THEFT`: whose session it was. */
  readonly stolen?: { readonly handle: SessionHandle; readonly userId: UserId } | undefined;
  /** With `STEP_UP`. */
  readonly challenge?: string | undefined;
  /** Instead of the code's own. */
  readonly status?: 403 | undefined;
  readonly cause?: unknown;
}

/** Seconds after which a store or a core that did not answer is worth another try. */
export const RETRY_AFTER = 1;

/** Tells our errors from others also where two copies of this package are loaded. */
const BRAND = Symbol.for("@pawl/node SessionError");

/**
 * What every function of a `Pawl` throws about sessions. Misuse (a bad option, a bad argument) is a `TypeError`.
 * @example
 * if (error instanceof SessionError && error.status === 401) res.redirect(`/login?because=${error.reason ?? ""}`);
 */
export class SessionError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  override readonly name = "SessionError";
  readonly [BRAND] = true;
  readonly code: SessionErrorCode;
  /** HTTP status of the answer. */
  readonly status: 401 | 403 | 503;
  /** Why the session ended; only for a request that carried a genuine refresh token of it. */
  declare readonly reason?: EndReason;
  /** With `UNKNOWN`: seconds after which the same request may succeed. */
  declare readonly retryAfter?: number;
  /** With `TOKEN_THEFT`: whose session it was. */
  declare readonly stolen?: { readonly handle: SessionHandle; readonly userId: UserId };
  /** With `STEP_UP`: what the header `WWW-Authenticate` of the answer says (RFC 9470 section 3). */
  declare readonly challenge?: string;

  constructor(code: SessionErrorCode, message: string, { cause, ...details }: SessionErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = told[code].status;
    for (const [name, value] of Object.entries(details))
      if (value !== undefined) Object.assign(this, { [name]: value });
  }
}

/** What a browser is told: a status, headers and a JSON body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: no body. */
  readonly body: object | undefined;
}

/**
 * The answer to a request that failed with one of our errors: `{ message, code, reason? }`.
 * @example
 * const { status, headers, body } = errorAnswer(error);
 * return Response.json(body, { status, headers });
 */
export const errorAnswer = ({ code, status, reason, retryAfter, challenge }: SessionError): Answer => ({
  status,
  headers: {
    "Cache-Control": "no-store",
    ...(status === 503 ? { "Retry-After": String(retryAfter ?? RETRY_AFTER) } : {}),
    ...(challenge === undefined ? {} : { "WWW-Authenticate": challenge }),
  },
  body: { message: told[code].message, code, reason },
});
