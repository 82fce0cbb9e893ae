import type { Static } from "typebox";
import type { ProblemCode } from "./problems.js";
import { EventPage, ListEventsQuery, Revocation, RevocationsQuery, SessionExplanation } from "./event-schemas.js";
import { KeySet, RotateKey, Settings, SigningKey, SigningKeys } from "./key-schemas.js";
import {
  CreateSession,
  IssuedSession,
  ListHandlesQuery,
  ListSessionsQuery,
  RefreshSession,
  RegeneratedSession,
  RegenerateSession,
  ReportUses,
  RevokedSessions,
  RevokeSessions,
  SessionData,
  SessionHandles,
  SessionInformation,
  SessionPage,
  SessionPayload,
  VerifiedSession,
  VerifySession,
} from "./session-schemas.js";

/** A JSON Schema (draft 2020-12), the whole of it: nothing is looked up elsewhere. */
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

const route = <R extends Route>(value: R): R => value;

/** Every operation of our HTTP API, by name. The server, the SDK, the CLI and the OpenAPI document are made from it. */
export const routes = {
  createSession: route({
    method: "POST",
    path: "/v1/sessions",
    summary: "Create a session",
    body: CreateSession,
    success: { status: 201, body: IssuedSession },
    problems: ["invalid_input", "invalid_json", "payload_too_large"],
  }),
  refreshSession: route({
    method: "POST",
    path: "/v1/sessions/refresh",
    summary: "Refresh: hand in a refresh token, get its successor",
    body: RefreshSession,
    success: { status: 200, body: IssuedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised", "token_theft_detected"],
  }),
  verifySession: route({
    method: "POST",
    path: "/v1/sessions/verify",
    summary: "Verify an access token",
    body: VerifySession,
    success: { status: 200, body: VerifiedSession },
    problems: ["invalid_input", "invalid_json", "unauthorised", "try_refresh_token"],
  }),
  regenerateSession: route({
    method: "POST",
    path: "/v1/sessions/regenerate",
    summary: "A new access token with the stored or a new payload, and the old expiry",
    body: RegenerateSession,
    success: { status: 200, body: RegeneratedSession },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "unauthorised"],
  }),
  reportUses: route({
    method: "POST",
    path: "/v1/sessions/uses",
    summary: "Report first uses of access tokens",
    body: ReportUses,
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json"],
  }),
  revokeSessions: route({
    method: "POST",
    path: "/v1/sessions/revoke",
    summary: "Revoke sessions by handles, of a user (all or all but one), or of a tenant",
    body: RevokeSessions,
    success: { status: 200, body: RevokedSessions },
    problems: ["invalid_input", "invalid_json"],
  }),
  listSessions: route({
    method: "GET",
    path: "/v1/sessions",
    summary: "List live sessions, in pages",
    query: ListSessionsQuery,
    success: { status: 200, body: SessionPage },
    problems: ["invalid_input"],
  }),
  listSessionHandles: route({
    method: "GET",
    path: "/v1/sessions/handles",
    summary: "All handles of a user's live sessions",
    query: ListHandlesQuery,
    success: { status: 200, body: SessionHandles },
    problems: ["invalid_input"],
  }),
  getSession: route({
    method: "GET",
    path: "/v1/sessions/{handle}",
    summary: "Information about a live session",
    success: { status: 200, body: SessionInformation },
    problems: ["invalid_input", "session_not_found"],
  }),
  explainSession: route({
    method: "GET",
    path: "/v1/sessions/{handle}/explanation",
    summary: "What became of a session, and why",
    success: { status: 200, body: SessionExplanation },
    problems: ["invalid_input"],
  }),
  updateSessionData: route({
    method: "PUT",
    path: "/v1/sessions/{handle}/data",
    summary: "Replace the data of a session",
    body: SessionData,
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "session_not_found"],
  }),
  updatePayload: route({
    method: "PUT",
    path: "/v1/sessions/{handle}/payload",
    summary: "Replace the access token payload; tokens carry it from the next refresh on",
    body: SessionPayload,
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json", "payload_too_large", "session_not_found"],
  }),
  listEvents: route({
    method: "GET",
    path: "/v1/events",
    summary: "The audit trail, newest first, in pages",
    query: ListEventsQuery,
    success: { status: 200, body: EventPage },
    problems: ["invalid_input"],
  }),
  watchRevocations: route({
    method: "GET",
    path: "/v1/revocations",
    summary:
      "Revoked sessions as server-sent events: event `revoked`, data as below, id = cursor. Without a cursor it starts one access token lifetime ago; `Last-Event-ID` resumes. A comment is sent every 15 s.",
    query: RevocationsQuery,
    success: { status: 200, body: Revocation, contentType: "text/event-stream" },
    problems: ["invalid_input"],
  }),
  keySet: route({
    method: "GET",
    path: "/v1/jwks",
    summary: "Public keys that verify access tokens",
    success: { status: 200, body: KeySet },
    problems: [],
    open: true,
  }),
  settings: route({
    method: "GET",
    path: "/v1/settings",
    summary: "What a backend SDK has to know of the configuration",
    success: { status: 200, body: Settings },
    problems: [],
  }),
  listSigningKeys: route({
    method: "GET",
    path: "/v1/keys",
    summary: "Signing keys, without secrets",
    success: { status: 200, body: SigningKeys },
    problems: [],
  }),
  rotateSigningKey: route({
    method: "POST",
    path: "/v1/keys/rotate",
    summary: "Add a signing key that takes over once it has been published long enough",
    body: RotateKey,
    success: { status: 201, body: SigningKey },
    problems: ["invalid_input", "invalid_json"],
  }),
  openApi: route({
    method: "GET",
    path: "/v1/openapi.json",
    summary: "This description",
    success: { status: 200, body: {} },
    problems: [],
  }),
} as const;

export type RouteName = keyof typeof routes;

type Part<Name extends RouteName, Key extends "body" | "query"> =
  (typeof routes)[Name] extends Readonly<Record<Key, infer Schema extends JsonSchema>> ? Static<Schema> : undefined;

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
