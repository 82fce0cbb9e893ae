/** A session as its access token tells it. Times are ms since the epoch. */
export interface VerifiedSession<Payload extends object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  readonly payload: Payload;
  /** When and how the user has last authenticated (`amr` of RFC 8176, `acr`); absent in a token of the documented API. */
  readonly auth?:
    | { readonly at: number; readonly methods: readonly string[]; readonly level?: string | undefined }
    | undefined;
  /** Who acts for `userId`; absent where nobody does. */
  readonly actor?: { readonly userId: string } | undefined;
  /** Of the access token. */
  readonly issuedAt: number;
  /** Of the access token; the session itself lives on by being refreshed. */
  readonly expiresAt: number;
}

/** Why nothing is known of a session. */
export type UnknownReason =
  /** The request brings none. */
  | "no_token"
  /** The request has a cookie and an unsafe method, and comes from a page of another site: see the option `origins`. */
  | "other_site"
  /** It is no token of ours, in the order in which it is looked at. */
  | "malformed"
  | "unsupported_header"
  | "unknown_key"
  | "bad_signature"
  | "incomplete"
  | "wrong_issuer"
  | "wrong_audience"
  /** It was one of ours: a refresh tells what became of the session. */
  | "expired"
  | "outdated"
  | "inactive"
  /** There are no keys, the core does not answer, or the clock of this machine is behind; `cause` tells. */
  | "unavailable";

/** What is known of a session. Only `ended` may clear what a client holds. */
export type Verification<Payload extends object> =
  | {
      readonly kind: "valid";
      readonly session: VerifiedSession<Payload>;
      /** Whether the session is known not to have ended: by the feed, while it stands, or by introspection. */
      readonly revocation: "checked" | "not checked";
      /** Why the feed is cut. */
      readonly cause?: unknown;
    }
  | {
      readonly kind: "ended";
      readonly why: "revoked";
      /** What HTTP answers. */
      readonly status: 401;
    }
  | {
      readonly kind: "unknown";
      readonly why: UnknownReason;
      /** What HTTP answers. */
      readonly status: 401 | 403 | 503;
      readonly cause?: unknown;
    };

export type Unknown = Extract<Verification<never>, { kind: "unknown" }>;

export const unknown = (why: UnknownReason, cause?: unknown): Unknown => ({
  kind: "unknown",
  why,
  status: why === "unavailable" ? 503 : why === "other_site" ? 403 : 401,
  cause,
});
