import type { Static } from "typebox";
import { Flag, Handle, JsonObject, PageLimit, PageStart, TenantId, Text, Time, UserId } from "./values.js";

const Form = { enum: ["v1", "v5"], description: "Access token version; `v5` unless given" } as const;

const IssuedToken = {
  type: "object",
  required: ["token", "expiry", "createdTime"],
  properties: { token: Text, expiry: Time, createdTime: Time },
} as const;

const SessionSummary = {
  type: "object",
  required: ["handle", "tenantId", "userId", "payload"],
  properties: { handle: Handle, tenantId: TenantId, userId: UserId, payload: JsonObject },
} as const;

export const CreateSession = {
  type: "object",
  required: ["userId"],
  properties: {
    userId: UserId,
    tenantId: TenantId,
    payload: JsonObject,
    data: JsonObject,
    device: { type: "string", maxLength: 1024 },
    address: { type: "string", maxLength: 128 },
    enableAntiCsrf: Flag,
    form: Form,
  },
  additionalProperties: false,
} as const;
export type CreateSession = Static<typeof CreateSession>;

export const IssuedSession = {
  type: "object",
  required: ["session", "accessToken", "refreshToken"],
  properties: { session: SessionSummary, accessToken: IssuedToken, refreshToken: IssuedToken, antiCsrfToken: Text },
} as const;
export type IssuedSession = Static<typeof IssuedSession>;

export const RefreshSession = {
  type: "object",
  required: ["refreshToken"],
  properties: {
    refreshToken: Text,
    otherRefreshTokens: {
      type: "array",
      items: Text,
      maxItems: 8,
      description: "What else came under the same name; of each session only the newest copy is tried",
    },
    antiCsrfToken: Text,
    enableAntiCsrf: Flag,
    form: Form,
  },
  additionalProperties: false,
} as const;
export type RefreshSession = Static<typeof RefreshSession>;

export const VerifySession = {
  type: "object",
  required: ["accessToken"],
  properties: { accessToken: Text, antiCsrfToken: Text, doAntiCsrfCheck: Flag, checkDatabase: Flag },
  additionalProperties: false,
} as const;
export type VerifySession = Static<typeof VerifySession>;

export const VerifiedSession = {
  type: "object",
  required: ["session", "issuedAt", "expiresAt"],
  properties: { session: SessionSummary, issuedAt: Time, expiresAt: Time },
} as const;
export type VerifiedSession = Static<typeof VerifiedSession>;

export const RegenerateSession = {
  type: "object",
  required: ["accessToken"],
  properties: { accessToken: Text, payload: JsonObject },
  additionalProperties: false,
} as const;
export type RegenerateSession = Static<typeof RegenerateSession>;

export const RegeneratedSession = {
  type: "object",
  required: ["session"],
  properties: { session: SessionSummary, accessToken: IssuedToken },
} as const;
export type RegeneratedSession = Static<typeof RegeneratedSession>;

export const ReportUses = {
  type: "object",
  required: ["uses"],
  properties: {
    uses: {
      type: "array",
      maxItems: 1000,
      items: {
        type: "object",
        required: ["handle", "seq", "issuedAt"],
        properties: { handle: Handle, seq: { type: "integer", minimum: 0 }, issuedAt: Time },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
} as const;
export type ReportUses = Static<typeof ReportUses>;

const Cause = {
  reason: {
    enum: ["logout", "revoked", "revoked_by_admin", "token_reuse"],
    description: "Why; `revoked` unless given",
  },
  detail: { type: "string", maxLength: 512, description: "Who or what asked, for the audit trail" },
} as const;

export const RevokeSessions = {
  description: "Exactly one of `handles`, `userId` and `allOfTenant`",
  anyOf: [
    {
      type: "object",
      required: ["handles"],
      properties: { handles: { type: "array", items: Handle, maxItems: 10_000 }, ...Cause },
      additionalProperties: false,
    },
    {
      type: "object",
      required: ["userId"],
      properties: { userId: UserId, tenantId: TenantId, except: Handle, ...Cause },
      additionalProperties: false,
    },
    {
      type: "object",
      required: ["allOfTenant"],
      properties: { allOfTenant: TenantId, ...Cause },
      additionalProperties: false,
    },
  ],
} as const;
export type RevokeSessions = Static<typeof RevokeSessions>;

export const RevokedSessions = {
  type: "object",
  required: ["revoked"],
  properties: { revoked: { type: "array", items: Handle } },
} as const;
export type RevokedSessions = Static<typeof RevokedSessions>;

export const SessionInformation = {
  type: "object",
  required: ["handle", "tenantId", "userId", "payload", "data", "createdAt", "lastActiveAt", "expiresAt"],
  properties: {
    handle: Handle,
    tenantId: TenantId,
    userId: UserId,
    payload: JsonObject,
    data: JsonObject,
    device: Text,
    address: Text,
    createdAt: Time,
    lastActiveAt: Time,
    refreshedAt: Time,
    expiresAt: Time,
  },
} as const;
export type SessionInformation = Static<typeof SessionInformation>;

export const ListSessionsQuery = {
  type: "object",
  properties: { userId: UserId, tenantId: TenantId, limit: PageLimit, after: PageStart },
  additionalProperties: false,
} as const;
export type ListSessionsQuery = Static<typeof ListSessionsQuery>;

export const SessionPage = {
  type: "object",
  required: ["sessions"],
  properties: { sessions: { type: "array", items: SessionInformation }, next: Text },
} as const;
export type SessionPage = Static<typeof SessionPage>;

export const ListHandlesQuery = {
  type: "object",
  required: ["userId"],
  properties: { userId: UserId, tenantId: TenantId },
  additionalProperties: false,
} as const;
export type ListHandlesQuery = Static<typeof ListHandlesQuery>;

export const SessionHandles = {
  type: "object",
  required: ["handles"],
  properties: { handles: { type: "array", items: Handle } },
} as const;
export type SessionHandles = Static<typeof SessionHandles>;

export const SessionData = {
  type: "object",
  required: ["data"],
  properties: { data: JsonObject },
  additionalProperties: false,
} as const;
export type SessionData = Static<typeof SessionData>;

export const SessionPayload = {
  type: "object",
  required: ["payload"],
  properties: { payload: JsonObject },
  additionalProperties: false,
} as const;
export type SessionPayload = Static<typeof SessionPayload>;
