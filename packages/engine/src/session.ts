import type {
  Branded,
  EndReason,
  EventRecord,
  Millis,
  SigningAlgorithm,
  SigningKeyKind,
  TenantId,
  UserId,
} from "@pawl/storage";

/** The public name of a session: its id, with `_<tenant>` appended for a tenant other than `public`. */
export type SessionHandle = Branded<string, "SessionHandle">;

/** A sealed refresh token: `pawl_rt_1.` and base64url. Opaque to everyone but the engine. */
export type RefreshToken = Branded<string, "RefreshToken">;

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A JSON object; what an application puts into an access token or keeps beside a session. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/**
 * How an access token is written, by the `version` in its header: `v1` as the SuperTokens CDI 1.0 and `v2` as CDI 2.0 to
 * 2.20 (standard base64, RS256, payload nested), `v3` as CDI 2.21 (base64url, `kid`, payload at the root), `v4` as CDI 3
 * (with the tenant), `v5` as CDI 4.0 and later (with the recipe user). `pawl` is the form of our own SDK: it alone says how
 * the user authenticated and who acts for whom.
 */
export type AccessTokenForm = "v1" | "v2" | "v3" | "v4" | "v5" | "pawl";

/** How sure it is who is there: when and how the user last authenticated in a session. A refresh never moves it. */
export interface Authentication {
  /** The claim `auth_time`, which knows whole seconds only: there it is rounded down. */
  readonly at: Millis;
  /** As RFC 8176 names them (`pwd`, `otp`, `hwk`), in the claim `amr`; empty where nobody said. */
  readonly methods: readonly string[];
  /** The claim `acr`: the authentication context class, named by the application or its identity provider. */
  readonly level?: string | undefined;
}

/** Who acts for the user of a session: the claim `act` of RFC 8693 section 4.1. */
export interface Actor {
  readonly userId: UserId;
}

/** Whom the user of a session acts for. */
export interface Acting {
  readonly userId: UserId;
  /** Why, for the audit trail. */
  readonly reason: string;
  /** It ends by itself then; no access token for it lives longer. */
  readonly until: Millis;
}

/** A token with its times, in milliseconds since the epoch. */
export interface IssuedToken<Token extends string = string> {
  readonly token: Token;
  readonly expiry: Millis;
  readonly createdTime: Millis;
}

export interface SessionSummary<Payload = JsonObject> {
  readonly handle: SessionHandle;
  readonly tenantId: TenantId;
  /** Whom the session speaks for: while somebody acts for another user, that other user. */
  readonly userId: UserId;
  /** Whose session it is, while he acts for another user. */
  readonly actor?: Actor | undefined;
  readonly payload: Payload;
  /** How often the payload changed; older access tokens are to be refreshed. */
  readonly payloadVersion: number;
  /** Absent where it was read from an access token whose form does not say it. */
  readonly auth?: Authentication | undefined;
  /** Bound to a key of the browser's device, which has to prove each refresh; absent where an access token's form does not say it. */
  readonly bound?: true | undefined;
}

/** What a login or a refresh hands to the client. */
export interface IssuedSession {
  readonly session: SessionSummary;
  readonly accessToken: IssuedToken;
  readonly refreshToken: IssuedToken<RefreshToken>;
  /** Present when the session was created with anti-CSRF. Constant for the life of the session. */
  readonly antiCsrfToken?: string;
  /** At a login that asked for it: what a browser has to sign to bind the session to a key of its device. */
  readonly registration?: string | undefined;
}

/** What an access token says for OAuth's sake (RFC 9068 section 2.2). */
export interface OAuthClaims {
  /** `iss` */
  readonly issuer: string;
  /** `aud` */
  readonly audience: readonly string[];
  /** `client_id` */
  readonly clientId: string;
  /** `jti` */
  readonly tokenId: string;
}

/** What an access token says, whichever form it was written in. */
export interface AccessTokenClaims {
  readonly form: AccessTokenForm;
  readonly handle: SessionHandle;
  readonly tenantId: TenantId;
  readonly userId: UserId;
  /** Sequence number of the refresh token issued together with it (`refreshTokenHash1`). */
  readonly seq: number;
  /** Sequence number of the parent refresh token, while the first use of this token has to be reported. */
  readonly parentSeq?: number;
  readonly antiCsrfToken?: string;
  readonly payload: JsonObject;
  /** 0 where the token says none. */
  readonly payloadVersion: number;
  /** Absent where the form does not say it. */
  readonly auth?: Authentication | undefined;
  /** Whose session it is, while he acts for `userId`. */
  readonly actor?: Actor | undefined;
  /** Only in the form `pawl`, where issuer and audience were configured. */
  readonly oauth?: OAuthClaims | undefined;
  /** The session is bound to a key of the browser's device; absent also where the form does not say it. */
  readonly bound?: true | undefined;
  /** Rounded up to whole seconds where the form knows only seconds: never earlier than the true time. */
  readonly issuedAt: Millis;
  readonly expiresAt: Millis;
}

/** What an identity provider calls a login (OpenID Connect): the claims `iss`, `sub` and, where it gives one, `sid`. */
export interface ProviderLogin {
  readonly issuer: string;
  readonly subject: string;
  /** Its session at the identity provider. */
  readonly sessionId?: string | undefined;
}

export interface CreateSessionInput {
  /** `public` unless given. */
  readonly tenantId?: TenantId | undefined;
  readonly userId: UserId;
  readonly payload?: JsonObject | undefined;
  /** Called with the payload as JSON before anything is stored; what it throws is thrown. */
  readonly checkPayload?: ((json: string) => void) | undefined;
  readonly data?: JsonObject | undefined;
  /** Now and without methods unless given; a time ahead of the store's counts as now. */
  readonly auth?:
    | {
        readonly methods?: readonly string[] | undefined;
        readonly level?: string | undefined;
        readonly at?: Millis | undefined;
      }
    | undefined;
  /** The login at an identity provider that this session comes from and ends with. Each text has 1 to 512 bytes. */
  readonly identityProvider?: ProviderLogin | undefined;
  readonly device?: string | undefined;
  readonly address?: string | undefined;
  /** The policy decides unless given. */
  readonly enableAntiCsrf?: boolean | undefined;
  readonly form?: AccessTokenForm | undefined;
  /** Of the access token, where its form allows it; the policy decides unless given. */
  readonly algorithm?: SigningAlgorithm | undefined;
  /** `dynamic` unless given. */
  readonly keyKind?: SigningKeyKind | undefined;
  /** Refuses a tenant that was not made with `tenants.put`, or is removed meanwhile. */
  readonly tenantMustExist?: boolean | undefined;
  /** Whether the client may bind the session to a key of its device: the answer carries a `registration`, unless the policy is `off`. */
  readonly bindable?: boolean | undefined;
}

export interface RefreshSessionInput {
  readonly refreshToken: string;
  /**
   * What else the client sent under the same name, at most eight: a changed cookie domain leaves
   * such duplicates behind. Only the newest copy of each session is tried, so that a stale one beside it raises no alarm.
   */
  readonly otherRefreshTokens?: readonly string[] | undefined;
  /**
   * Must match only when `enableAntiCsrf` is true here and the presented token was issued with one. Of several sessions the one
   * it matches is tried first in any case.
   */
  readonly antiCsrfToken?: string | undefined;
  /**
   * Whether the tokens of the answer carry the anti-CSRF token; as the policy says now unless given, whatever it said at
   * login. Only a `true` here also compares: the documented 1.0 refresh takes no anti-CSRF token.
   */
  readonly enableAntiCsrf?: boolean | undefined;
  readonly form?: AccessTokenForm | undefined;
  /** Of the access token, where its form allows it; the policy decides unless given. */
  readonly algorithm?: SigningAlgorithm | undefined;
  /** Kept for the session from the next rotation on. Absent keeps the session's kind. */
  readonly keyKind?: SigningKeyKind | undefined;
  /** The handle of the bound session for which the browser itself asks: no other one is refreshed then. */
  readonly boundSession?: string | undefined;
  /** With `boundSession`: what the browser's key has signed, a JWT. */
  readonly proof?: string | undefined;
  /** Handles of bound sessions that the browser says it could not refresh just now. */
  readonly skippedSessions?: readonly string[] | undefined;
  /** Whether an honest browser may come without a proof here, so that it is no event: it refreshes by itself, and not for every request. */
  readonly unprovenIsExpected?: boolean | undefined;
}

/** Why a refresh of a session was refused that needs a proof of its key. */
export type UnprovenReason =
  /** There was none. */
  | "missing"
  /** It is of the right key, over another challenge than a current one of this session. */
  | "challenge"
  /** It is of another key, or none. */
  | "foreign"
  /** The session is not bound, and the policy wants it to be. */
  | "unbound";

export type RefreshOutcome =
  | ({
      readonly kind: "refreshed";
      /** Whether this refresh made the new tokens: false for the repetition of an answer. */
      readonly minted: boolean;
    } & IssuedSession)
  /** There is no such live session, or the token is none of ours. Not an alarm. */
  | {
      readonly kind: "unauthorised";
      readonly why: "invalid_token" | "no_session" | "forged_token" | "anti_csrf" | "other_session";
      readonly message: string;
      /** Why the session ended, where it is still known; only for a genuine refresh token of it. */
      readonly reason?: EndReason | undefined;
    }
  /** A live session that is bound to a key which did not prove this refresh. Not an alarm, and nothing was changed. */
  | {
      readonly kind: "unproven";
      readonly why: UnprovenReason;
      readonly message: string;
      readonly session: { readonly handle: SessionHandle; readonly tenantId: TenantId; readonly userId: UserId };
      /** What its key has to sign; valid for 5 minutes. */
      readonly challenge: string;
    }
  /** No honest client could have sent this token: someone else holds a copy. */
  | {
      readonly kind: "token_reuse";
      readonly session: { readonly handle: SessionHandle; readonly tenantId: TenantId; readonly userId: UserId };
      /** What was ended by the transaction that found it; empty with the theft action `report`. */
      readonly ended: readonly SessionHandle[];
    };

export type TryRefreshReason =
  | "malformed"
  | "unsupported_header"
  | "unknown_key"
  | "bad_signature"
  | "incomplete"
  | "expired"
  | "outdated"
  | "wrong_audience"
  | "anti_csrf";

export type VerifyOutcome =
  | { readonly kind: "valid"; readonly claims: AccessTokenClaims }
  /** This token is not accepted (any more); a refresh may help. */
  | { readonly kind: "try_refresh"; readonly why: TryRefreshReason; readonly message: string }
  /** The session has ended. */
  | { readonly kind: "unauthorised"; readonly why: "revoked" | "no_session"; readonly message: string };

/** Whether a token is good now, and what it stands for (RFC 7662). */
export type IntrospectOutcome =
  /** Expired, ended, outdated, replaced, or none of ours. */
  | { readonly kind: "inactive" }
  | { readonly kind: "access_token"; readonly claims: AccessTokenClaims }
  | {
      readonly kind: "refresh_token";
      readonly session: Omit<SessionSummary, "payload" | "payloadVersion">;
      /** When this copy was sealed. */
      readonly issuedAt: Millis;
      readonly expiresAt: Millis;
      /** Thumbprint (RFC 7638) of the key that has to prove each refresh; absent for none. */
      readonly bound?: string;
    };

export interface VerifyInput {
  readonly accessToken: string;
  readonly antiCsrfToken?: string | undefined;
  /** Compare the anti-CSRF token; effective only when the policy (or `enableAntiCsrf` here) has it on. */
  readonly doAntiCsrfCheck?: boolean | undefined;
  readonly enableAntiCsrf?: boolean | undefined;
  /** Ask the database whether the session is live; the policy decides unless given. */
  readonly checkDatabase?: boolean | undefined;
}

export interface ConfirmInput extends VerifyInput {
  /** Refuse a session that this process knows to have ended, without asking anybody. False unless given. */
  readonly heedRevocations?: boolean | undefined;
}

/** A verified token whose first use was settled with the store (the protocols in which the SDK asks the core). */
export type ConfirmOutcome =
  | { readonly kind: "valid"; readonly claims: AccessTokenClaims; readonly accessToken?: IssuedToken }
  | Exclude<VerifyOutcome, { kind: "valid" }>;

/** How a payload is changed. */
export interface PayloadChange {
  /** Whether verifiers refuse older access tokens from now on, so that their holders refresh; true unless given. */
  readonly announced?: boolean | undefined;
  /** Nothing changes unless the session has this `payloadVersion`. */
  readonly expectedVersion?: number | undefined;
}

/** Who authenticated again, and how. */
export interface StepUpInput {
  readonly methods: readonly string[];
  readonly level?: string | undefined;
  /** As at a login; a session that is bound already gets no `registration`. */
  readonly bindable?: boolean | undefined;
}

/** Whom to act for. */
export interface ActAsInput {
  /** A user of the session's tenant. */
  readonly userId: UserId;
  readonly payload: JsonObject;
  readonly data?: JsonObject | undefined;
  /** Why, for the audit trail: 1 to 512 bytes. */
  readonly reason: string;
  /** Ms; 15 min unless given, at most the policy's `longestActing`. */
  readonly for?: Millis | undefined;
}

export type RegenerateOutcome =
  /** `accessToken` is absent when the one given had expired: only what is stored was changed. */
  | {
      readonly kind: "regenerated";
      readonly session: SessionSummary;
      readonly accessToken?: IssuedToken;
      /** From when on older access tokens are refused; absent where verifiers were told nothing. */
      readonly changedAt?: Millis;
      /** After a step-up that asked for it: as of a login. */
      readonly registration?: string | undefined;
    }
  /** Nothing was changed: the access token, or the version that was expected, is not the session's any more. Refresh first. */
  | { readonly kind: "outdated"; readonly message: string }
  | { readonly kind: "unauthorised"; readonly why: "invalid_token" | "no_session"; readonly message: string };

/** The session is as it should be, yet may not do this. Nothing was changed. */
export interface RefusedOutcome {
  readonly kind: "refused";
  /** `acting`: while acting for a user there is neither stepping up nor acting for another one. `self`: it is one's own session. */
  readonly why: "acting" | "self";
  readonly message: string;
}

/**
 * Everything known of a live session. `userId`, `payload` and `data` are those of the user whose session it is, also while
 * he acts for another one: what he acts with is that user's, and no list shows it.
 */
export interface SessionInformation<Payload = JsonObject, Data = JsonObject> extends Omit<
  SessionSummary<Payload>,
  "actor" | "auth"
> {
  readonly auth: Authentication;
  readonly data: Data;
  /** Whom its user acts for now. */
  readonly acting?: Acting;
  /** The login at an identity provider that it came from. */
  readonly identityProvider?: ProviderLogin;
  readonly device?: string;
  readonly address?: string;
  readonly createdAt: Millis;
  readonly lastActiveAt: Millis;
  /** Last rotation; absent when it was never refreshed. */
  readonly refreshedAt?: Millis;
  readonly expiresAt: Millis;
}

/** What tells whether a live session still is as somebody knows it. */
export interface SessionStanding {
  readonly payloadVersion: number;
  /** When it ends by itself, unless it is refreshed or used before. */
  readonly liveUntil: Millis;
}

/** What became of a session, as far as the row and the events (oldest first) tell. */
export interface SessionExplanation extends Partial<
  Readonly<Record<"createdAt" | "lastActiveAt" | "refreshedAt" | "endedAt", Millis>>
> {
  readonly handle: SessionHandle;
  readonly status: "live" | "ended" | "unknown";
  readonly userId?: UserId;
  /** How many refreshes made new tokens. */
  readonly refreshes?: number;
  readonly reason?: EndReason;
  /** One sentence for a person. */
  readonly summary: string;
  readonly events: readonly EventRecord[];
}

/** Why sessions are revoked; `revoked` unless said otherwise. */
export interface RevokeCause {
  readonly reason?:
    | Extract<EndReason, "logout" | "revoked" | "revoked_by_admin" | "token_reuse" | "replaced" | "erased">
    | undefined;
  /** Who asked, for the audit trail. */
  readonly detail?: string | undefined;
}
