import type { Static } from "typebox";
import { Algorithm, Duration, Flag, Text, Time } from "./values.js";

export const Jwk = {
  type: "object",
  required: ["kty", "kid", "alg", "use"],
  properties: {
    kty: { enum: ["RSA", "EC"] },
    kid: Text,
    alg: Algorithm,
    use: { const: "sig" },
    n: Text,
    e: Text,
    crv: { const: "P-256" },
    x: Text,
    y: Text,
  },
} as const;
export type Jwk = Static<typeof Jwk>;

export const KeySet = {
  type: "object",
  description: "JWK set, RFC 7517 section 5",
  required: ["keys"],
  properties: { keys: { type: "array", items: Jwk } },
} as const;
export type KeySet = Static<typeof KeySet>;

export const SigningKey = {
  type: "object",
  required: ["kid", "algorithm", "kind", "createdAt", "signsFrom", "status"],
  properties: {
    kid: Text,
    algorithm: Algorithm,
    kind: { enum: ["dynamic", "static"] },
    createdAt: Time,
    signsFrom: Time,
    status: { enum: ["next", "active", "retired"] },
  },
} as const;
export type SigningKey = Static<typeof SigningKey>;

export const SigningKeys = {
  type: "object",
  required: ["keys"],
  properties: { keys: { type: "array", items: SigningKey } },
} as const;
export type SigningKeys = Static<typeof SigningKeys>;

export const RotateKey = {
  type: "object",
  properties: { algorithm: Algorithm },
  additionalProperties: false,
} as const;
export type RotateKey = Static<typeof RotateKey>;

/** What a backend SDK has to know of the core: cookie attributes as configured, and the rules it applies itself. */
export const Settings = {
  type: "object",
  required: [
    "cookieSecure",
    "accessTokenPath",
    "refreshTokenPath",
    "enableAntiCsrf",
    "checkDatabase",
    "accessTokenValidity",
    "reuseWindow",
    "activityInterval",
  ],
  properties: {
    cookieDomain: Text,
    cookieSecure: Flag,
    accessTokenPath: Text,
    refreshTokenPath: Text,
    enableAntiCsrf: Flag,
    checkDatabase: Flag,
    accessTokenValidity: Duration,
    reuseWindow: Duration,
    activityInterval: Duration,
  },
} as const;
export type Settings = Static<typeof Settings>;
