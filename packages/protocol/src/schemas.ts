/** How many items a page has unless the request says otherwise. */
export const DEFAULT_PAGE_LIMIT = 100;

export const Time = { type: "integer", description: "Milliseconds since the Unix epoch" } as const;
export const Duration = { type: "integer", description: "Milliseconds" } as const;
export const Text = { type: "string" } as const;
export const Flag = { type: "boolean" } as const;
export const Handle = { type: "string", minLength: 1, maxLength: 256, description: "Session handle" } as const;
/** Also empty: a CDI takes such a user. */
export const UserId = { type: "string", maxLength: 512, description: "The application's name of the user" } as const;
export const TenantId = {
  type: "string",
  minLength: 1,
  maxLength: 64,
  description: "Tenant; `public` unless given",
} as const;
export const JsonObject = { type: "object", additionalProperties: true, description: "A JSON object" } as const;
export const Algorithm = { enum: ["RS256", "ES256"] } as const;
export const Form = {
  enum: ["v1", "v5", "pawl"],
  description:
    "Form of the access token; `pawl` unless given. Only that one says how the user authenticated, and who acts",
} as const;

/** Members of the query of a list. */
export const page = {
  limit: { type: "integer", minimum: 1, maximum: 500, default: DEFAULT_PAGE_LIMIT },
  after: { type: "string", maxLength: 2048, description: "The `next` of the page before" },
} as const;

/** Members of a revocation. */
export const cause = {
  reason: {
    enum: ["logout", "revoked", "revoked_by_admin", "token_reuse", "replaced"],
    description: "Why; `revoked` unless given",
  },
  detail: { type: "string", maxLength: 512, description: "Who or what asked, for the audit trail" },
} as const;

export type ObjectSchema<Required, Optional> = {
  readonly type: "object";
  /** All names of the required members; TypeBox infers from tuples alone. */
  readonly required: readonly [keyof Required & string];
  readonly properties: Required & Optional;
};

/** An object with these members, and perhaps the optional ones; it may have others. */
export const object = <const Required extends object, const Optional extends object = object>(
  required: Required,
  optional?: Optional,
): ObjectSchema<Required, Optional> => ({
  type: "object",
  required: Object.keys(required) as unknown as [keyof Required & string],
  properties: { ...required, ...(optional as Optional) },
});

/** An object with these members, perhaps the optional ones, and no others. */
export const closed = <const Required extends object, const Optional extends object = object>(
  required: Required,
  optional?: Optional,
) => ({ ...object(required, optional), additionalProperties: false }) as const;

export const list = <const Items extends object>(items: Items) => ({ type: "array", items }) as const;

const IssuedToken = object({ token: Text, expiry: Time, createdTime: Time });

const Methods = { ...list(Text), description: "How, as RFC 8176 names it: `pwd`, `otp`, `hwk`" } as const;
const Level = { type: "string", description: "Authentication context class, as `acr`" } as const;

/** How sure it is who is there. */
const Authentication = object({ at: Time, methods: Methods }, { level: Level });
/** What a login says of it. */
export const GivenAuthentication = closed({}, { at: Time, methods: Methods, level: Level });
/** What stepping up says of it. */
export const StepUp = closed({ methods: Methods }, { level: Level });

export const Version = { type: "integer", minimum: 0, description: "How often the payload changed" } as const;

/** A session whose access tokens below a version are of before a time. */
export const Changed = object({ handle: Handle, payloadVersion: Version, at: Time });

/** How a payload is changed. */
export const payloadChange = {
  announced: {
    type: "boolean",
    description:
      "Whether verifiers refuse older access tokens from now on, so that they are refreshed; true unless given",
  },
  expectedVersion: { ...Version, description: "Nothing changes unless the session has this `payloadVersion`" },
} as const;

export const SessionSummary = object(
  { handle: Handle, tenantId: TenantId, userId: UserId, payload: JsonObject, payloadVersion: Version },
  {
    auth: Authentication,
    actor: { ...object({ userId: UserId }), description: "Whose session it is, while he acts for `userId`" },
  },
);

export const IssuedSession = object(
  { session: SessionSummary, accessToken: IssuedToken, refreshToken: IssuedToken },
  { antiCsrfToken: Text },
);

export const RefreshedSession = object(
  {
    minted: { ...Flag, description: "Whether this refresh made the tokens, rather than repeat an answer" },
    session: SessionSummary,
    accessToken: IssuedToken,
    refreshToken: IssuedToken,
  },
  { antiCsrfToken: Text },
);

/** The access token is absent when the one given had expired: then only what is stored has changed. */
export const RegeneratedSession = object(
  { session: SessionSummary },
  {
    accessToken: IssuedToken,
    changedAt: { ...Time, description: "From when on older access tokens are refused, where they are" },
  },
);

export const SessionInformation = object(
  {
    handle: Handle,
    tenantId: TenantId,
    userId: UserId,
    payload: JsonObject,
    payloadVersion: Version,
    auth: Authentication,
    data: JsonObject,
    createdAt: Time,
    lastActiveAt: Time,
    expiresAt: Time,
  },
  {
    acting: {
      ...object({ userId: UserId, payload: JsonObject, data: JsonObject, reason: Text, at: Time, until: Time }),
      description: "Whom the user of the session acts for; everything beside it is his own",
    },
    link: Text,
    device: Text,
    address: Text,
    refreshedAt: Time,
  },
);

/** What the audit trail records. */
export const EventType = {
  enum: [
    "session_ended",
    "token_reuse",
    "forged_token",
    "fast_forward",
    "acting_started",
    "acting_ended",
    "signing_key_created",
    "signing_key_deleted",
    "admin",
  ],
} as const;

export const Event = object(
  { key: Text, at: Time, type: EventType, count: { type: "integer" } },
  { handle: Handle, tenantId: TenantId, userId: UserId, reason: Text, detail: {} },
);

export const Jwk = object(
  { kty: { enum: ["RSA", "EC"] }, kid: Text, alg: Algorithm, use: { const: "sig" } },
  { n: Text, e: Text, crv: { const: "P-256" }, x: Text, y: Text },
);

export const SigningKey = object({
  kid: Text,
  algorithm: Algorithm,
  kind: { enum: ["dynamic", "static"] },
  createdAt: Time,
  signsFrom: Time,
  status: { enum: ["next", "active", "retired"] },
});
