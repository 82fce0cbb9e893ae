import type { Static } from "typebox";
import { Handle, PageLimit, PageStart, TenantId, Text, Time, UserId } from "./values.js";

/** What the audit trail records. */
export const EventType = {
  enum: [
    "session_ended",
    "token_reuse",
    "forged_token",
    "fast_forward",
    "signing_key_created",
    "signing_key_deleted",
    "admin",
  ],
} as const;
export type EventType = Static<typeof EventType>;

export const Event = {
  type: "object",
  required: ["key", "at", "type", "count"],
  properties: {
    key: Text,
    at: Time,
    type: EventType,
    handle: Handle,
    tenantId: TenantId,
    userId: UserId,
    reason: Text,
    detail: {},
    count: { type: "integer" },
  },
} as const;
export type Event = Static<typeof Event>;

export const ListEventsQuery = {
  type: "object",
  properties: {
    handle: Handle,
    userId: UserId,
    tenantId: TenantId,
    type: EventType,
    limit: PageLimit,
    after: PageStart,
  },
  additionalProperties: false,
} as const;
export type ListEventsQuery = Static<typeof ListEventsQuery>;

export const EventPage = {
  type: "object",
  required: ["events"],
  properties: { events: { type: "array", items: Event }, next: Text },
} as const;
export type EventPage = Static<typeof EventPage>;

export const SessionExplanation = {
  type: "object",
  required: ["handle", "status", "summary", "events"],
  properties: {
    handle: Handle,
    status: { enum: ["live", "ended", "unknown"] },
    userId: UserId,
    createdAt: Time,
    lastActiveAt: Time,
    endedAt: Time,
    reason: Text,
    summary: Text,
    events: { type: "array", items: Event },
  },
} as const;
export type SessionExplanation = Static<typeof SessionExplanation>;

/** One message of the revocation feed; its SSE `id` is the cursor to resume from (`Last-Event-ID`). */
export const Revocation = {
  type: "object",
  required: ["handle", "at"],
  properties: { handle: Handle, at: Time },
} as const;
export type Revocation = Static<typeof Revocation>;

export const RevocationsQuery = {
  type: "object",
  properties: { cursor: { type: "string", maxLength: 2048 } },
  additionalProperties: false,
} as const;
export type RevocationsQuery = Static<typeof RevocationsQuery>;
