/** A JWK set (RFC 7517 section 5), such as `pawl.keySet()` answers. */
export interface KeySet {
  readonly keys: readonly object[];
}

/** The core's feed of sessions that ended or changed: its `/v1/revocations`, and an API key of it. */
export interface FeedOptions {
  readonly url: string;
  readonly key: string;
}

/** The core's introspection (RFC 7662), and an API key of it. */
export interface IntrospectOptions {
  readonly url: string;
  readonly key: string;
  /** How long an answer is taken for the truth, ms: so much later at most the end of a session is noticed. */
  readonly cacheFor: number;
}

export interface VerifierOptions {
  /** Where the public keys are, such as `https://core.example.com/v1/jwks`, or the keys themselves. */
  readonly keys: string | KeySet;
  /** What `iss` has to be, exactly. Tokens without one are refused then. */
  readonly issuer?: string | undefined;
  /** What `aud` has to name. Without it tokens that name an audience are refused: they are for somebody else (RFC 7519 section 4.1.3). */
  readonly audience?: string | undefined;
  /** For Node.js, Deno and Bun: the ends and changes of sessions, as they happen. */
  readonly feed?: FeedOptions | undefined;
  /** For Workers, which do nothing outside of a request: each session is asked for, at most once in `cacheFor`. */
  readonly introspect?: IntrospectOptions | undefined;
  /** The cookie in which requests bring an access token; `__Host-pawl-access` unless given. */
  readonly cookie?: string | undefined;
  /** Pages of other origins that may send requests with a cookie and an unsafe method, such as `https://app.example.com`. */
  readonly origins?: readonly string[] | undefined;
  /** Ms since the epoch; the clock of the machine unless given. */
  readonly clock?: { now(): number } | undefined;
}
