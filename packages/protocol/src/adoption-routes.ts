import { closed, Flag, Form, JsonObject, RefreshedSession, TenantId, Time, UserId } from "./schemas.js";

/** What names a session of another system. */
const formerSession = {
  former: {
    type: "string",
    minLength: 1,
    maxLength: 32_768,
    description: "What that system calls the session, and no other",
  },
  userId: { ...UserId, minLength: 1 },
  until: {
    ...Time,
    minimum: 0,
    maximum: 8_640_000_000_000_000,
    description: "Until when (ms) such sessions are adopted, and the end of one is remembered",
  },
} as const;

/** The operations of `/v1` for sessions of another system, which go on without a new login. */
export const adoptionRoutes = {
  adoptSession: {
    method: "POST",
    path: "/v1/sessions/adopt",
    summary: "Go on with a session of another system; a repetition is answered as one of a refresh",
    body: closed(formerSession, {
      tenantId: TenantId,
      payload: JsonObject,
      data: JsonObject,
      createdAt: { ...formerSession.until, description: "When (ms) it began, which timeouts count from" },
      device: { type: "string", maxLength: 1024 },
      address: { type: "string", maxLength: 128 },
      enableAntiCsrf: Flag,
      form: Form,
    }),
    success: { status: 200, body: RefreshedSession },
    problems: [
      "invalid_input",
      "invalid_json",
      "payload_too_large",
      "unauthorised",
      "unproven",
      "token_theft_detected",
      "acting_refused",
    ],
  },
  refuseAdoption: {
    method: "POST",
    path: "/v1/sessions/refuse-adoption",
    summary: "End a session of another system, adopted or not: it is not adopted any more",
    body: closed(formerSession, {
      tenantId: TenantId,
      reason: { enum: ["logout", "revoked", "replaced"], description: "Why; `revoked` unless given" },
    }),
    success: { status: 204 },
    problems: ["invalid_input", "invalid_json"],
  },
} as const;
