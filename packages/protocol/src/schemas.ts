import { Type } from "typebox";
import type { Static, TSchema } from "typebox";

/** Times and durations are whole milliseconds; times count from the Unix epoch. */
const Time = Type.Integer({ description: "Milliseconds since the Unix epoch" });
const Handle = Type.String({ minLength: 1, maxLength: 256, description: "Session handle" });
const UserId = Type.String({ minLength: 1, maxLength: 512, description: "The application's name of the user" });
const TenantId = Type.String({ minLength: 1, maxLength: 64, description: "Tenant; `public` unless given" });
const JsonObject = Type.Record(Type.String(), Type.Unknown(), { description: "A JSON object" });
const Form = Type.Union([Type.Literal("v1"), Type.Literal("v5")], { description: "Access token version" });

/** How many items a page has unless the request says otherwise. */
export const DEFAULT_PAGE_LIMIT = 100;
const PageLimit = Type.Integer({ minimum: 1, maximum: 500, default: DEFAULT_PAGE_LIMIT });

const IssuedToken = Type.Object({ token: Type.String(), expiry: Time, createdTime: Time });

const SessionSummary = Type.Object({ handle: Handle, tenantId: TenantId, userId: UserId, payload: JsonObject });

export const CreateSession = Type.Object(
  {
    userId: UserId,
    tenantId: Type.Optional(TenantId),
    payload: Type.Optional(JsonObject),
    data: Type.Optional(JsonObject),
    device: Type.Optional(Type.String({ maxLength: 1024 })),
    address: Type.Optional(Type.String({ maxLength: 128 })),
    enableAntiCsrf: Type.Optional(Type.Boolean()),
    form: Type.Optional(Form),
  },
  { additionalProperties: false },
);
export type CreateSession = Static<typeof CreateSession>;

export const IssuedSession = Type.Object({
  session: SessionSummary,
  accessToken: IssuedToken,
  refreshToken: IssuedToken,
  antiCsrfToken: Type.Optional(Type.String()),
});
export type IssuedSession = Static<typeof IssuedSession>;

export const RefreshSession = Type.Object(
  {
    refreshToken: Type.String(),
    antiCsrfToken: Type.Optional(Type.String()),
    enableAntiCsrf: Type.Optional(Type.Boolean()),
    form: Type.Optional(Form),
  },
  { additionalProperties: false },
);
export type RefreshSession = Static<typeof RefreshSession>;

export const VerifySession = Type.Object(
  {
    accessToken: Type.String(),
    antiCsrfToken: Type.Optional(Type.String()),
    doAntiCsrfCheck: Type.Optional(Type.Boolean()),
    checkDatabase: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type VerifySession = Static<typeof VerifySession>;

export const VerifiedSession = Type.Object({
  session: SessionSummary,
  issuedAt: Time,
  expiresAt: Time,
});
export type VerifiedSession = Static<typeof VerifiedSession>;

export const RegenerateSession = Type.Object(
  { accessToken: Type.String(), payload: Type.Optional(JsonObject) },
  { additionalProperties: false },
);
export type RegenerateSession = Static<typeof RegenerateSession>;

export const RegeneratedSession = Type.Object({ session: SessionSummary, accessToken: Type.Optional(IssuedToken) });
export type RegeneratedSession = Static<typeof RegeneratedSession>;

export const ReportUses = Type.Object(
  {
    uses: Type.Array(
      Type.Object(
        { handle: Handle, seq: Type.Integer({ minimum: 0 }), issuedAt: Time },
        { additionalProperties: false },
      ),
      { maxItems: 1000 },
    ),
  },
  { additionalProperties: false },
);
export type ReportUses = Static<typeof ReportUses>;

const Reason = Type.Union(
  [Type.Literal("logout"), Type.Literal("revoked"), Type.Literal("revoked_by_admin"), Type.Literal("token_reuse")],
  { description: "Why; `revoked` unless given" },
);

export const RevokeSessions = Type.Union(
  [
    Type.Object(
      {
        handles: Type.Array(Handle, { maxItems: 10_000 }),
        reason: Type.Optional(Reason),
        detail: Type.Optional(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        userId: UserId,
        tenantId: Type.Optional(TenantId),
        except: Type.Optional(Handle),
        reason: Type.Optional(Reason),
        detail: Type.Optional(Type.String({ maxLength: 512 })),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      { allOfTenant: TenantId, reason: Type.Optional(Reason), detail: Type.Optional(Type.String({ maxLength: 512 })) },
      { additionalProperties: false },
    ),
  ],
  { description: "Exactly one of `handles`, `userId` and `allOfTenant`" },
);
export type RevokeSessions = Static<typeof RevokeSessions>;

export const RevokedSessions = Type.Object({ revoked: Type.Array(Handle) });
export type RevokedSessions = Static<typeof RevokedSessions>;

export const SessionInformation = Type.Object({
  handle: Handle,
  tenantId: TenantId,
  userId: UserId,
  payload: JsonObject,
  data: JsonObject,
  device: Type.Optional(Type.String()),
  address: Type.Optional(Type.String()),
  createdAt: Time,
  lastActiveAt: Time,
  refreshedAt: Type.Optional(Time),
  expiresAt: Time,
});
export type SessionInformation = Static<typeof SessionInformation>;

export const ListSessionsQuery = Type.Object(
  {
    userId: Type.Optional(UserId),
    tenantId: Type.Optional(TenantId),
    limit: Type.Optional(PageLimit),
    after: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  { additionalProperties: false },
);
export type ListSessionsQuery = Static<typeof ListSessionsQuery>;

export const SessionPage = Type.Object({
  sessions: Type.Array(SessionInformation),
  next: Type.Optional(Type.String()),
});
export type SessionPage = Static<typeof SessionPage>;

export const ListHandlesQuery = Type.Object(
  { userId: UserId, tenantId: Type.Optional(TenantId) },
  { additionalProperties: false },
);
export type ListHandlesQuery = Static<typeof ListHandlesQuery>;

export const SessionHandles = Type.Object({ handles: Type.Array(Handle) });
export type SessionHandles = Static<typeof SessionHandles>;

export const SessionData = Type.Object({ data: JsonObject }, { additionalProperties: false });
export type SessionData = Static<typeof SessionData>;

export const SessionPayload = Type.Object({ payload: JsonObject }, { additionalProperties: false });
export type SessionPayload = Static<typeof SessionPayload>;

/** What the audit trail records. */
export const EventType = Type.Union([
  Type.Literal("session_ended"),
  Type.Literal("token_reuse"),
  Type.Literal("forged_token"),
  Type.Literal("fast_forward"),
  Type.Literal("signing_key_created"),
  Type.Literal("signing_key_deleted"),
  Type.Literal("admin"),
]);
export type EventType = Static<typeof EventType>;

export const Event = Type.Object({
  key: Type.String(),
  at: Time,
  type: EventType,
  handle: Type.Optional(Handle),
  tenantId: Type.Optional(TenantId),
  userId: Type.Optional(UserId),
  reason: Type.Optional(Type.String()),
  detail: Type.Optional(Type.Unknown()),
  count: Type.Integer(),
});
export type Event = Static<typeof Event>;

export const ListEventsQuery = Type.Object(
  {
    handle: Type.Optional(Handle),
    userId: Type.Optional(UserId),
    tenantId: Type.Optional(TenantId),
    type: Type.Optional(EventType),
    limit: Type.Optional(PageLimit),
    after: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  { additionalProperties: false },
);
export type ListEventsQuery = Static<typeof ListEventsQuery>;

export const EventPage = Type.Object({ events: Type.Array(Event), next: Type.Optional(Type.String()) });
export type EventPage = Static<typeof EventPage>;

export const SessionExplanation = Type.Object({
  handle: Handle,
  status: Type.Union([Type.Literal("live"), Type.Literal("ended"), Type.Literal("unknown")]),
  userId: Type.Optional(UserId),
  createdAt: Type.Optional(Time),
  lastActiveAt: Type.Optional(Time),
  endedAt: Type.Optional(Time),
  reason: Type.Optional(Type.String()),
  summary: Type.String(),
  events: Type.Array(Event),
});
export type SessionExplanation = Static<typeof SessionExplanation>;

export const Jwk = Type.Object({
  kty: Type.Union([Type.Literal("RSA"), Type.Literal("EC")]),
  kid: Type.String(),
  alg: Type.Union([Type.Literal("RS256"), Type.Literal("ES256")]),
  use: Type.Literal("sig"),
  n: Type.Optional(Type.String()),
  e: Type.Optional(Type.String()),
  crv: Type.Optional(Type.Literal("P-256")),
  x: Type.Optional(Type.String()),
  y: Type.Optional(Type.String()),
});
export const KeySet = Type.Object({ keys: Type.Array(Jwk) }, { description: "JWK set, RFC 7517 section 5" });
export type KeySet = Static<typeof KeySet>;

/** What a backend SDK has to know of the core: cookie attributes as configured, and the rules it applies itself. */
export const Settings = Type.Object({
  cookieDomain: Type.Optional(Type.String()),
  cookieSecure: Type.Boolean(),
  accessTokenPath: Type.String(),
  refreshTokenPath: Type.String(),
  enableAntiCsrf: Type.Boolean(),
  checkDatabase: Type.Boolean(),
  accessTokenValidity: Type.Integer(),
  reuseWindow: Type.Integer(),
});
export type Settings = Static<typeof Settings>;

export const SigningKey = Type.Object({
  kid: Type.String(),
  algorithm: Type.Union([Type.Literal("RS256"), Type.Literal("ES256")]),
  kind: Type.Union([Type.Literal("dynamic"), Type.Literal("static")]),
  createdAt: Time,
  signsFrom: Time,
  status: Type.Union([Type.Literal("next"), Type.Literal("active"), Type.Literal("retired")]),
});
export type SigningKey = Static<typeof SigningKey>;
export const SigningKeys = Type.Object({ keys: Type.Array(SigningKey) });
export type SigningKeys = Static<typeof SigningKeys>;
export const RotateKey = Type.Object(
  { algorithm: Type.Optional(Type.Union([Type.Literal("RS256"), Type.Literal("ES256")])) },
  { additionalProperties: false },
);
export type RotateKey = Static<typeof RotateKey>;

/** One message of the revocation feed; its SSE `id` is the cursor to resume from (`Last-Event-ID`). */
export const Revocation = Type.Object({ handle: Handle, at: Time });
export type Revocation = Static<typeof Revocation>;
export const RevocationsQuery = Type.Object(
  { cursor: Type.Optional(Type.String({ maxLength: 2048 })) },
  { additionalProperties: false },
);
export type RevocationsQuery = Static<typeof RevocationsQuery>;

export type { Static, TSchema };
