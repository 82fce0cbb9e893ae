import type { Static } from "typebox";
import { Challenge, object, Text } from "./schemas.js";

/** Every error of our HTTP API: code, HTTP status, title. The one table; `docs/reference/errors.md` says the same. */
export const problems = {
  invalid_input: { status: 400, title: "The request is not of the documented form" },
  invalid_json: { status: 400, title: "The body is not a JSON object" },
  payload_too_large: { status: 400, title: "The payload or the data is larger than a session may carry" },
  api_key_invalid: { status: 401, title: "API key missing or wrong" },
  unauthorised: { status: 401, title: "There is no such live session" },
  try_refresh_token: { status: 401, title: "The access token is not accepted; refresh it" },
  unproven: { status: 401, title: "The session is bound to a key that did not prove this refresh" },
  token_theft_detected: { status: 401, title: "A refresh token was used again: somebody holds a copy" },
  browser_refused: { status: 403, title: "Requests sent by a web page are refused" },
  host_refused: { status: 403, title: "The Host header does not name this service" },
  address_refused: { status: 403, title: "This address is not in ip_allow" },
  session_not_found: { status: 404, title: "No such live session" },
  delivery_not_found: { status: 404, title: "No such event waits for delivery or was given up" },
  not_found: { status: 404, title: "No such path" },
  method_not_allowed: { status: 405, title: "The path does not take this method" },
  outdated: { status: 409, title: "The session has changed since the access token was issued; refresh it" },
  acting_refused: { status: 409, title: "The session may not do this because of who acts for whom" },
  binding_refused: { status: 409, title: "The session cannot be bound to this key" },
  body_too_large: { status: 413, title: "The body is larger than 1 MiB" },
  unsupported_media_type: { status: 415, title: "The body must be application/json" },
  internal_error: { status: 500, title: "Something unexpected happened; the log tells more" },
  storage_unavailable: { status: 503, title: "The storage does not answer; try again" },
  shutting_down: { status: 503, title: "The service is stopping; try another node" },
} as const;

export type ProblemCode = keyof typeof problems;

/** Content type of every error of our API (RFC 9457). */
export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Problem details (RFC 9457 section 3.1): `type` is `urn:pawl:problem:<code>`. */
export const Problem = object(
  { type: Text, code: Text, title: Text, status: { type: "integer" } },
  {
    detail: Text,
    instance: { type: "string", description: "With `internal_error`: the id under which the log tells more" },
    reason: {
      type: "string",
      description: "With `unauthorised` at a refresh: why the session ended, where it is known",
    },
    why: {
      enum: [
        ...(["acting", "self"] as const),
        ...(["missing", "challenge", "foreign", "unbound"] as const),
        ...(["policy", "proof", "no_session", "refreshed", "bound"] as const),
        "other_session",
      ],
      description:
        "With `acting_refused`: the session acts for another user, or he would act for himself. With `unproven`: there was no proof, it has to be over a new challenge, it is of another key, or the session is not bound. With `binding_refused`: binding is off, the proof is none, its challenge is not this session's, there is no such session, or it was refreshed meanwhile, or is bound. With `unauthorised`: no token of the session that the browser named was presented",
    },
    challenge: { ...Challenge, description: `With \`unproven\`: ${Challenge.description}` },
    sessionHandle: {
      type: "string",
      description: "With `token_theft_detected` and `unproven`, as are the user and the tenant",
    },
    userId: Text,
    tenantId: Text,
  },
);
export type Problem = Static<typeof Problem>;
