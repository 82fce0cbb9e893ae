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

const loginText = { type: "string", minLength: 1, maxLength: 512 } as const;
const providerLogin = [{ issuer: loginText, subject: loginText }, { sessionId: loginText }] as const;
const login = {
  description: "The login at an identity provider that the session comes from: its `iss`, `sub` and `sid`",
} as const;
const ProviderLogin = { ...object(...providerLogin), ...login } as const;
export const GivenProviderLogin = { ...closed(...providerLogin), ...login } as const;

export const SessionSummary = object(
  { handle: Handle, tenantId: TenantId, userId: UserId, payload: JsonObject, payloadVersion: Version },
  {
    auth: Authentication,
    bound: { type: "boolean", description: "Bound to a key of the browser's device, which has to prove each refresh" },
    actor: { ...object({ userId: UserId }), description: "Whose session it is, while he acts for `userId`" },
  },
);

const Registration = {
  type: "string",
  description: "What a browser has to sign to bind the session to a key of its device, within 5 minutes",
} as const;
export const Bindable = {
  type: "boolean",
  description: "Whether the client may bind the session to a key of its device: then the answer has a `registration`",
} as const;

export const IssuedSession = object(
  { session: SessionSummary, accessToken: IssuedToken, refreshToken: IssuedToken },
  { antiCsrfToken: Text, registration: Registration },
);

export const Challenge = {
  type: "string",
  description: "What the session's key has to sign for a refresh, within 5 minutes",
} as const;

/** Tokens are absent where no refresh token was sent: then the browser is to refresh at once. */
export const BoundSession = object({ handle: Handle, challenge: Challenge }, { issued: IssuedSession });

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
    registration: Registration,
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
      ...object({ userId: UserId, reason: Text, until: Time }),
      description: "Whom the user of the session acts for; everything beside it is his own",
    },
    bound: { type: "boolean", description: "Bound to a key of the browser's device" },
    identityProvider: ProviderLogin,
    device: Text,
    address: Text,
    refreshedAt: Time,
  },
);

export const SessionStanding = object({
  handle: Handle,
  payloadVersion: Version,
  liveUntil: { ...Time, description: "When it ends by itself, unless it is refreshed or used before" },
});

/** What the audit trail records. */
export const EventType = {
  enum: [
    "session_ended",
    "token_reuse",
    "forged_token",
    "fast_forward",
    "device_bound",
    "device_unbound",
    "unproven_refresh",
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

/** What is counted per hour. */
const CountName = {
  enum: [
    "login",
    "refresh",
    "theft",
    "step_up",
    "acting",
    "bound",
    "ended.logout",
    "ended.revoked",
    "ended.revoked_by_admin",
    "ended.token_reuse",
    "ended.replaced",
    "ended.session_limit",
    "ended.identity_provider",
    "ended.expired",
    "ended.idle",
    "ended.erased",
  ],
} as const;

export const Count = object({
  at: { ...Time, description: "The beginning of the step" },
  name: CountName,
  count: { type: "integer" },
});

export const LiveSessions = {
  ...object({
    count: { type: "integer" },
    countedAt: { ...Time, description: "When they were counted last; logins and ends have moved the number since" },
  }),
  description: "Live sessions of all tenants; absent until they were counted once",
} as const;

export const WebhookId = { type: "string", pattern: "^[0-9a-f]{8}$", description: "Names a webhook" } as const;

const Origin = {
  type: "string",
  description: "Scheme, host and port of the URL of a webhook, the rest of which may be a secret",
} as const;

/** An event that is to be delivered to a webhook, or could not be. */
export const Delivery = object(
  {
    event: Event,
    webhook: WebhookId,
    dueAt: { ...Time, description: "When it is tried next" },
    attempts: { type: "integer" },
  },
  {
    origin: { ...Origin, description: "Scheme, host and port of its URL; absent: no such webhook is configured" },
    failure: { type: "string", description: "Why it has not got it" },
  },
);

const webhook = { id: WebhookId, origin: Origin } as const;

export const WebhookInformation = object({ ...webhook, events: list(EventType), allowPrivate: Flag });

export const TestedWebhook = object(webhook, {
  failure: { type: "string", description: "Why the message was not delivered; absent: it was" },
});

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

/** A key of the configuration; without `value` it is not set. */
export const Setting = object(
  { key: Text, source: { enum: ["default", "file", "environment", "option"] }, summary: Text },
  { value: { type: "string", description: "As config.yaml would say it" } },
);

/** A core, as it said itself when it was seen. */
export const Node = object({
  id: { type: "string", description: "Of its process" },
  host: { type: "string", description: "Name of its machine, and its port" },
  version: Text,
  startedAt: Time,
  seenAt: Time,
  feedReadAt: { ...Time, description: "Until when it knew of all revocations and changes" },
  clockAhead: {
    ...Duration,
    description: "How far the clock of its machine was ahead of the store's; negative: behind",
  },
});
