export {
  createPawl,
  type Conditions,
  type Pawl,
  type ReadSession,
  type SessionInput,
  type Sessions,
  type Tokens,
} from "./pawl.js";
export { type Session, type ListedSession, type EndReasonOfApplication } from "./session.js";
export { SessionError, type SessionErrorCode, type Answer, errorAnswer } from "./session-error.js";
export type { SessionTokens, TokenSession } from "./sessions/token-sessions.js";
export type { FindOptions } from "./sessions/request-sessions.js";
export type { CookieOptions, CoreOptions, EmbeddedOptions, PawlOptions, TokenTheft } from "./options/options.js";
export type { Duration } from "./options/option.js";
export type { SessionEvent, SessionHistory } from "./backend/session-backend.js";
export type { CoreHost } from "./backend/core/core-url.js";
export type { JsonObject, JsonValue, KeySet, SessionInformation } from "@pawl/engine";
export { type Exchange, nodeExchange, type NodeRequest, type NodeResponse } from "./http/exchange.js";
export { FetchExchange, fetchExchange } from "./http/fetch-exchange.js";
