export { createPawl, type Pawl, type ReadSession, type Tokens } from "./pawl.js";
export type { ActAs, EndReasonOfApplication, ListedSession, Session, StepUp } from "./session.js";
export type { Loaded, LoadPayload, LoginAuth, MigratePayload, PayloadOwner, SessionInput } from "./session-input.js";
export type { Adoption, FormerLogin, FormerRequest } from "./options/adoption.js";
export type { Conditions } from "./options/conditions.js";
export { SessionError, type SessionErrorCode, type Answer, errorAnswer } from "./session-error.js";
export type { SessionTokens, TokenSession } from "./sessions/token-sessions.js";
export type { FindOptions } from "./sessions/request-sessions.js";
export type { EndUserOptions, ListOptions, Sessions } from "./sessions/sessions.js";
export type { CookieOptions, CoreOptions, EmbeddedOptions, PawlOptions, TokenTheft } from "./options/options.js";
export type { Duration } from "./options/option.js";
export type {
  AuditEvent,
  CountsOfSessions,
  CountsRange,
  EventFilter,
  Operation,
  SessionEvent,
  WebhookDelivery,
} from "./backend/operation.js";
export type { SessionHistory } from "./backend/session-backend.js";
export type { CoreHost } from "./backend/core/core-url.js";
export type {
  Acting,
  Actor,
  Authentication,
  JsonObject,
  JsonValue,
  KeySet,
  ProviderLogin,
  SessionInformation,
} from "@pawl/engine";
export { type Exchange, nodeExchange, type NodeRequest, type NodeResponse } from "./http/exchange.js";
export { FetchExchange, fetchExchange } from "./http/fetch-exchange.js";
