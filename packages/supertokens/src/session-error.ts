import { inspect, type InspectOptions } from "node:util";
import { SessionError as BackendError } from "@pawl/node";
import { StorageError } from "@pawl/storage";

/** The four kinds of failure, with the numbers of the SuperTokens 1.0 SDK. */
const GENERAL_ERROR = 1000;
export const UNAUTHORISED = 2000;
const TRY_REFRESH_TOKEN = 3000;
export const TOKEN_THEFT_DETECTED = 4000;

const codes = {
  [GENERAL_ERROR]: "GENERAL_ERROR",
  [UNAUTHORISED]: "UNAUTHORISED",
  [TRY_REFRESH_TOKEN]: "TRY_REFRESH_TOKEN",
  [TOKEN_THEFT_DETECTED]: "TOKEN_THEFT_DETECTED",
} as const;

export type ErrorType = keyof typeof codes;

/** Whose token was stolen. */
export interface TokenTheft {
  readonly sessionHandle: string;
  readonly userId: string;
}

export interface SessionErrorOptions<Type extends ErrorType> {
  readonly errType: Type;
  readonly message: string;
  readonly theft?: TokenTheft | undefined;
  readonly cause?: unknown;
  /** Seconds after which the same call may succeed. */
  readonly retryAfter?: number | undefined;
}

/** Recognises our errors across copies of this package in one process. */
const ERR_MAGIC = "pawl session error";

/**
 * What every function of this package throws: a real `Error` that also has the shape of the SuperTokens 1.0 SDK,
 * `{errMagic, errType, err}`.
 *
 * - `GENERAL_ERROR`: nothing is known of the session (a store or network failure, misuse); cookies are kept
 * - `UNAUTHORISED`: the session has ended, or there is none
 * - `TRY_REFRESH_TOKEN`: the access token is not accepted (any more); a refresh may help
 * - `TOKEN_THEFT_DETECTED`: a refresh token came back that no honest client could hold any more
 */
export class SessionError<Type extends ErrorType = ErrorType> extends Error {
  static readonly GENERAL_ERROR = GENERAL_ERROR;
  static readonly UNAUTHORISED = UNAUTHORISED;
  static readonly TRY_REFRESH_TOKEN = TRY_REFRESH_TOKEN;
  static readonly TOKEN_THEFT_DETECTED = TOKEN_THEFT_DETECTED;

  /** Whether this package threw it. Anything may be asked; narrows to the four kinds by `errType`. */
  static isErrorFromAuth(error: unknown): error is AnySessionError {
    return typeof error === "object" && error !== null && (error as { errMagic?: unknown }).errMagic === ERR_MAGIC;
  }

  override readonly name = "SessionError";
  readonly errMagic = ERR_MAGIC;
  readonly errType: Type;
  /** The name of `errType`. */
  readonly code: (typeof codes)[Type];
  /** With `GENERAL_ERROR`, where it is known: seconds after which the same call may succeed, for a `Retry-After`. */
  declare readonly retryAfter?: number;
  /** `{sessionHandle, userId}` with `TOKEN_THEFT_DETECTED`, otherwise this error; what caused it is its `cause`. */
  readonly err: Type extends typeof TOKEN_THEFT_DETECTED ? TokenTheft : Error;

  constructor({ errType, message, theft, cause, retryAfter }: SessionErrorOptions<Type>) {
    super(message, cause === undefined ? undefined : { cause });
    this.errType = errType;
    this.code = codes[errType];
    this.err = (theft ?? this) as typeof this.err;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }

  /** The documented members, and the message instead of the error within itself. */
  toJSON(): object {
    const { errMagic, errType, code, message, retryAfter, err } = this;
    const told: object = (err as unknown) === this ? { message } : err;
    return { errMagic, errType, code, message, retryAfter, err: told };
  }

  /** As `console.log` shows it: without the error within itself. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { errType, code, retryAfter, err, cause } = this;
    const more = { retryAfter, err: (err as unknown) === this ? undefined : err, cause };
    const given = Object.entries({ errType, code, ...more }).filter(([, value]) => value !== undefined);
    return `${this.stack ?? this.message} ${inspect(Object.fromEntries(given), options)}`;
  }
}

/** One of the four kinds; `errType` tells which, and with it what `err` is. */
export type AnySessionError = { readonly [Type in ErrorType]: SessionError<Type> }[ErrorType];

export const generalError = (
  message: string,
  options: { readonly cause?: unknown; readonly retryAfter?: number | undefined } = {},
): SessionError => new SessionError({ errType: GENERAL_ERROR, message, ...options });

export const unauthorised = (message: string): SessionError => new SessionError({ errType: UNAUTHORISED, message });

export const tryRefreshToken = (message: string): SessionError =>
  new SessionError({ errType: TRY_REFRESH_TOKEN, message });

export const tokenTheft = (theft: TokenTheft): SessionError =>
  new SessionError({ errType: TOKEN_THEFT_DETECTED, message: "token theft detected", theft });

/** Any value as a message shows it: also what JSON cannot say, such as a `bigint`. */
export const shown = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });

/** Seconds after which a store or a core that did not answer is worth another try. */
export const RETRY_AFTER = 1;

/** What a caller sees of any failure: ours as it is, everything else as `GENERAL_ERROR` with its cause. */
export const asSessionError = (error: unknown): SessionError => {
  if (SessionError.isErrorFromAuth(error)) return error;
  if (error instanceof BackendError) {
    const { message, cause, retryAfter } = error;
    return generalError(message, { cause, retryAfter });
  }
  const isPassing = error instanceof StorageError && error.code === "unavailable";
  return generalError(error instanceof Error ? error.message : "something unexpected was thrown", {
    cause: error,
    retryAfter: isPassing ? RETRY_AFTER : undefined,
  });
};
