import type { Static } from "typebox";
import { adoptionRoutes } from "./adoption-routes.js";
import { operationRoutes } from "./operation-routes.js";
import type { ProblemCode } from "./problems.js";
import {
  Bindable,
  BoundSession,
  cause,
  Changed,
  closed,
  Duration,
  Event,
  Flag,
  Form,
  GivenAuthentication,
  GivenProviderLogin,
  Handle,
  IssuedSession,
  JsonObject,
  Jwk,
  list,
  object,
  page,
  payloadChange,
  RefreshedSession,
  RegeneratedSession,
  SessionInformation,
  SessionStanding,
  SessionSummary,
  StepUp,
  TenantId,
  Text,
  Time,
  UserId,
  Version,
} from "./schemas.js";

/** A JSON Schema (draft 2020-12), complete: it refers to no other. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One operation of the `/v1` API. `{handle}` in a path is one percent-encoded segment. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly summary: string;
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** Status of success, its body, and its content type where it is not JSON. */
  readonly success: { readonly status: 200 | 201 | 204; readonly body?: JsonSchema; readonly contentType?: string };
  readonly problems: readonly ProblemCode[];
  /** `open`: no API key is needed; `verifier`: those of verifiers are good for it too. */
  readonly access?: "open" | "verifier";
}

/** Every operation of our HTTP API, by name. The server, the SDK, the CLI and the OpenAPI document are made from it. */
export const routes = {
  createSession: {
    method: "POST",
    path: "/v1/sessions",
    summary: "Create a session",
    body: closed(
      { userId: { ...UserId, minLength: 1 } },
      {
        tenantId: TenantId,
        payload: JsonObject,
        data: JsonObject,
        auth: GivenAuthentication,
        identityProvider: GivenProviderLogin,
        device: { type: "string", maxLength: 1024 },
        address: { type: "string", maxLength: 128 },
        enableAntiCsrf: Flag,
        form: Form,
        bindable: Bindable,
      },
    ),
    success: { status: 201, body: IssuedSession },
    problems: ["invalid_input", "invalid_json", "payload_too_large"],
  },
  refreshSession: {
    method: "POST",
    path: "/v1/sessions/refresh",
    summary: "Refresh: hand in a refresh token, get its successor",
    body: closed(
      { refreshToken: Text },
      {
        otherRefreshTokens: {
          ...list(Text),
          maxItems: 8,
          description: "What else came under the same name; of each session only the newest copy is tried",
        },
        antiCsrfToken: Text,
        enableAntiCsrf: Flag,
        form: Form,
        boundSession: {
          ...Handle,
          description: "The bound session for which the browser itself asks; no other one is refreshed then",
        },
        proof: { ...Text, description: "With `boundSession`: what its key has signed, a JWT" },
        skippedSessions: {
          ...list(Handle),
          maxItems: 8,
          description: "Bound sessions that the browser says it could not refresh just now",
        },
        unprovenIsExpected: {
          ...Flag,
          description: "Whether it is no event where a proof is wanted, and there is none",
        },
      },
    ),
    success: { status: 200, body: RefreshedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised", "unproven", "token_theft_detected", "acting_refused"],
  },
  ...adoptionRoutes,
  bindSession: {
    method: "POST",
    path: "/v1/sessions/bind",
    summary: "Bind a session to a key of the browser's device; a repetition is answered again",
    body: closed(
      {
        refreshTokens: {
          ...list(Text),
          maxItems: 9,
          description: "What the browser sent; none where the login came from another site",
        },
        proof: { ...Text, description: "The key, and its signature over the `registration`: a JWT" },
      },
      { enableAntiCsrf: Flag, form: Form },
    ),
    success: { status: 200, body: BoundSession },
    problems: ["invalid_input", "invalid_json", "binding_refused"],
  },
  verifySession: {
    method: "POST",
    path: "/v1/sessions/verify",
    summary: "Verify an access token",
    body: closed({ accessToken: Text }, { antiCsrfToken: Text, doAntiCsrfCheck: Flag, checkDatabase: Flag }),
    success: { status: 200, body: object({ session: SessionSummary, issuedAt: Time, expiresAt: Time }) },
    problems: ["invalid_input", "invalid_json", "unauthorised", "try_refresh_token"],
    access: "verifier",
  },
  regenerateSession: {
    method: "POST",
    path: "/v1/sessions/regenerate",
    summary: "A new access token with the stored or a new payload, and the old expiry",
    body: closed({ accessToken: Text }, { payload: JsonObject, ...payloadChange }),
    success: { status: 200, body: RegeneratedSession },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "unauthorised", "outdated", "acting_refused"],
  },
  stepUp: {
    method: "POST",
    path: "/v1/sessions/step-up",
    summary: "The user has authenticated again: older access tokens are refused, here is a new one",
    body: closed({ accessToken: Text, auth: StepUp }, { bindable: Bindable }),
    success: { status: 200, body: RegeneratedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised", "outdated", "acting_refused"],
  },
  actAs: {
    method: "POST",
    path: "/v1/sessions/act-as",
    summary: "The user of the session acts for another user of its tenant; whether he may is for the caller to decide",
    body: closed(
      { accessToken: Text, userId: { ...UserId, minLength: 1 }, payload: JsonObject, reason: Text },
      { data: JsonObject, for: { ...Duration, description: "Milliseconds; 15 min unless given" } },
    ),
    success: { status: 200, body: RegeneratedSession },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "unauthorised", "outdated", "acting_refused"],
  },
  actAsSelf: {
    method: "POST",
    path: "/v1/sessions/act-as-self",
    summary: "End acting for another user; without effect where nobody acts",
    body: closed({ accessToken: Text }),
    success: { status: 200, body: RegeneratedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised"],
  },
  reportUses: {
    method: "POST",
    path: "/v1/sessions/uses",
    summary: "Report first uses of access tokens",
    body: closed({
      uses: {
        ...list(closed({ handle: Handle, seq: { type: "integer", minimum: 0 }, issuedAt: Time })),
        maxItems: 1000,
      },
    }),
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json"],
  },
  revokeSessions: {
    method: "POST",
    path: "/v1/sessions/revoke",
    summary: "Revoke sessions by handles, of a user (all or all but one), or of a tenant",
    body: {
      description: "Exactly one of `handles`, `userId` and `allOfTenant`",
      anyOf: [
        closed({ handles: { ...list(Handle), maxItems: 10_000 } }, cause),
        closed({ userId: UserId }, { tenantId: TenantId, except: Handle, ...cause }),
        closed(
          { allOfTenant: TenantId },
          {
            limit: { type: "integer", minimum: 1, maximum: 1000, description: "End at most that many; all without it" },
            after: { ...Text, description: "Go on: `next` of the answer before, with `limit`" },
            ...cause,
          },
        ),
      ],
    },
    success: { status: 200, body: object({ revoked: list(Handle) }, { next: Text }) },
    problems: ["invalid_input", "invalid_json"],
  },
  listSessions: {
    method: "GET",
    path: "/v1/sessions",
    summary: "List live sessions, in pages",
    query: closed({}, { userId: UserId, tenantId: TenantId, ...page }),
    success: { status: 200, body: object({ sessions: list(SessionInformation) }, { next: Text }) },
    problems: ["invalid_input"],
  },
  listSessionHandles: {
    method: "GET",
    path: "/v1/sessions/handles",
    summary: "All handles of a user's live sessions",
    query: closed({ userId: UserId }, { tenantId: TenantId }),
    success: { status: 200, body: object({ handles: list(Handle) }) },
    problems: ["invalid_input"],
  },
  liveSessions: {
    method: "POST",
    path: "/v1/sessions/live",
    summary: "How sessions stand: those that are live, in any order; the others are left out. Moves nothing",
    body: closed({ handles: { ...list(Handle), maxItems: 1000 } }),
    success: { status: 200, body: object({ sessions: list(SessionStanding) }) },
    problems: ["invalid_input", "invalid_json"],
  },
  getSession: {
    method: "GET",
    path: "/v1/sessions/{handle}",
    summary: "Information about a live session",
    query: closed(
      {},
      {
        as: {
          ...UserId,
          description: "Whose payload and data are meant: the owner's unless given, or of the user he acts for",
        },
      },
    ),
    success: { status: 200, body: SessionInformation },
    problems: ["invalid_input", "session_not_found"],
  },
  explainSession: {
    method: "GET",
    path: "/v1/sessions/{handle}/explanation",
    summary: "What became of a session, and why",
    success: {
      status: 200,
      body: object(
        { handle: Handle, status: { enum: ["live", "ended", "unknown"] }, summary: Text, events: list(Event) },
        {
          userId: UserId,
          createdAt: Time,
          lastActiveAt: Time,
          refreshes: { type: "integer", description: "How many made new tokens" },
          refreshedAt: Time,
          endedAt: Time,
          reason: Text,
        },
      ),
    },
    problems: ["invalid_input"],
  },
  updateSessionData: {
    method: "PUT",
    path: "/v1/sessions/{handle}/data",
    summary: "Replace the data of a session",
    body: closed(
      { data: JsonObject },
      { as: { ...UserId, description: "Whose data is meant: the owner's unless given, or of the user he acts for" } },
    ),
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "session_not_found"],
  },
  updatePayload: {
    method: "PUT",
    path: "/v1/sessions/{handle}/payload",
    summary:
      "Replace the access token payload; older access tokens are refused, so that they are refreshed. Another one than before ends acting for another user",
    body: closed({ payload: JsonObject }, { form: Form, ...payloadChange }),
    success: { status: 200, body: Changed },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "session_not_found"],
  },
  watchRevocations: {
    method: "GET",
    path: "/v1/revocations",
    summary:
      "Revoked and changed sessions as server-sent events: event `revoked` or `changed`, data as below, id = cursor. The first event is `settings`, with `accessTokenValidity`: for so long a reader keeps what it hears. Access tokens of a changed session from before `at`, with a lower `payloadVersion`, are to be refreshed. Without a cursor it starts one access token lifetime ago; `Last-Event-ID` resumes. A comment is sent every 15 s.",
    query: closed({}, { cursor: { type: "string", maxLength: 4096 } }),
    success: {
      status: 200,
      body: object({ handle: Handle, at: Time }, { reason: Text, payloadVersion: Version }),
      contentType: "text/event-stream",
    },
    problems: ["invalid_input"],
    access: "verifier",
  },
  keySet: {
    method: "GET",
    path: "/v1/jwks",
    summary: "Public keys that verify access tokens",
    success: { status: 200, body: { ...object({ keys: list(Jwk) }), description: "JWK set, RFC 7517 section 5" } },
    problems: [],
    access: "open",
  },
  settings: {
    method: "GET",
    path: "/v1/settings",
    summary: "What a backend SDK has to know of the configuration",
    success: {
      status: 200,
      body: object(
        {
          cookieSecure: Flag,
          accessTokenPath: Text,
          refreshTokenPath: Text,
          enableAntiCsrf: Flag,
          checkDatabase: Flag,
          deviceBinding: { enum: ["off", "prefer", "require"] },
          accessTokenValidity: Duration,
          reuseWindow: Duration,
          activityInterval: Duration,
        },
        {
          cookieDomain: Text,
          issuer: { ...Text, description: "`iss` of access tokens of the form `pawl`" },
          audience: { ...list(Text), description: "`aud` of them; one of these has to be there" },
        },
      ),
    },
    problems: [],
    access: "verifier",
  },
  ...operationRoutes,
  openApi: {
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This description",
    success: { status: 200, body: {} },
    problems: [],
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;

/** A value before it is written as JSON, which leaves out members that are undefined. */
export type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: Written<T[Name]> | (object extends Pick<T, Name> ? undefined : never) }
    : T;

type Part<Name extends RouteName, Key extends "body" | "query"> =
  (typeof routes)[Name] extends Readonly<Record<Key, infer Schema extends JsonSchema>>
    ? Written<Static<Schema>>
    : undefined;

/** The request body of an operation; `undefined` where it takes none. */
export type RouteBody<Name extends RouteName> = Part<Name, "body">;
/** The query of an operation, numbers already numbers; `undefined` where it takes none. */
export type RouteQuery<Name extends RouteName> = Part<Name, "query">;
/** The body of an operation's success; `undefined` where it has none. */
export type RouteResponse<Name extends RouteName> = (typeof routes)[Name]["success"] extends {
  readonly body: infer Schema extends JsonSchema;
}
  ? Static<Schema>
  : undefined;
