import type { Static } from "typebox";
import type { ProblemCode } from "./problems.js";
import {
  Algorithm,
  cause,
  Changed,
  closed,
  Duration,
  Event,
  EventType,
  Flag,
  Form,
  GivenAuthentication,
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
  SessionSummary,
  SigningKey,
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
  /** Open routes need no API key. */
  readonly open?: true;
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
        link: { type: "string", maxLength: 512, description: "What an identity provider calls this login" },
        device: { type: "string", maxLength: 1024 },
        address: { type: "string", maxLength: 128 },
        enableAntiCsrf: Flag,
        form: Form,
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
      },
    ),
    success: { status: 200, body: RefreshedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised", "token_theft_detected", "acting_refused"],
  },
  verifySession: {
    method: "POST",
    path: "/v1/sessions/verify",
    summary: "Verify an access token",
    body: closed({ accessToken: Text }, { antiCsrfToken: Text, doAntiCsrfCheck: Flag, checkDatabase: Flag }),
    success: { status: 200, body: object({ session: SessionSummary, issuedAt: Time, expiresAt: Time }) },
    problems: ["invalid_input", "invalid_json", "unauthorised", "try_refresh_token"],
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
    body: closed({ accessToken: Text, auth: StepUp }),
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
  getSession: {
    method: "GET",
    path: "/v1/sessions/{handle}",
    summary: "Information about a live session",
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
        { userId: UserId, createdAt: Time, lastActiveAt: Time, endedAt: Time, reason: Text },
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
    summary: "Replace the access token payload; older access tokens are refused, so that they are refreshed",
    body: closed({ payload: JsonObject }, { form: Form, ...payloadChange }),
    success: { status: 200, body: Changed },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "session_not_found"],
  },
  listEvents: {
    method: "GET",
    path: "/v1/events",
    summary: "The audit trail, newest first, in pages",
    query: closed({}, { handle: Handle, userId: UserId, tenantId: TenantId, type: EventType, ...page }),
    success: { status: 200, body: object({ events: list(Event) }, { next: Text }) },
    problems: ["invalid_input"],
  },
  watchRevocations: {
    method: "GET",
    path: "/v1/revocations",
    summary:
      "Revoked and changed sessions as server-sent events: event `revoked` or `changed`, data as below, id = cursor. Access tokens of a changed session from before `at`, with a lower `payloadVersion`, are to be refreshed. Without a cursor it starts one access token lifetime ago; `Last-Event-ID` resumes. A comment is sent every 15 s.",
    query: closed({}, { cursor: { type: "string", maxLength: 4096 } }),
    success: {
      status: 200,
      body: object({ handle: Handle, at: Time }, { payloadVersion: Version }),
      contentType: "text/event-stream",
    },
    problems: ["invalid_input"],
  },
  keySet: {
    method: "GET",
    path: "/v1/jwks",
    summary: "Public keys that verify access tokens",
    success: { status: 200, body: { ...object({ keys: list(Jwk) }), description: "JWK set, RFC 7517 section 5" } },
    problems: [],
    open: true,
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
          accessTokenValidity: Duration,
          reuseWindow: Duration,
          activityInterval: Duration,
        },
        { cookieDomain: Text },
      ),
    },
    problems: [],
  },
  listSigningKeys: {
    method: "GET",
    path: "/v1/keys",
    summary: "Signing keys, without secrets",
    success: { status: 200, body: object({ keys: list(SigningKey) }) },
    problems: [],
  },
  rotateSigningKey: {
    method: "POST",
    path: "/v1/keys/rotate",
    summary: "Add a signing key that takes over once it has been published long enough",
    body: closed({}, { algorithm: Algorithm }),
    success: { status: 201, body: SigningKey },
    problems: ["invalid_input", "invalid_json"],
  },
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
