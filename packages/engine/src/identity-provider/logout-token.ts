import { decodeJwt, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import type { IdentityProvider } from "./identity-provider.js";
import type { ProviderKeys } from "./provider-keys.js";

/** How far the clock of an identity provider may be off, s. */
export const CLOCK_SKEW = 60;
/** How old a logout token may be, s: for so long those that have been received are remembered at most. */
const LONGEST_AGE = 3600;

const EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** Of public keys alone: with a shared secret whoever can verify can sign, and `none` is no signature. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Other tokens of the same provider say another type, or none, as logout tokens of older ones do. */
const TYPE = /^(?:(?:application\/)?logout\+jwt|JWT)$/i;

/** What a logout token says. */
export interface LogoutToken {
  readonly issuer: string;
  /** The providers in the configuration that it speaks for. */
  readonly providers: readonly IdentityProvider[];
  /** At least one of the two. */
  readonly subject?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** From when on it is refused for its age, seconds since the epoch. */
  readonly refusedFrom: number;
}

/** A logout token is none, or none of ours. The message never holds what it says. */
export class LogoutTokenError extends Error {
  override readonly name = "LogoutTokenError";
}

const refuse = (message: string): never => {
  throw new LogoutTokenError(message);
};

/**
 * Validates a logout token: OpenID Connect Back-Channel Logout 1.0, section 2.6, steps 2 to 7.
 * @param now ms since the epoch.
 * @throws LogoutTokenError, ProviderKeysError.
 */
export const verifyLogoutToken = async (
  token: string,
  {
    providers,
    keysOf,
    now,
  }: {
    readonly providers: readonly IdentityProvider[];
    readonly keysOf: (provider: IdentityProvider) => ProviderKeys;
    readonly now: number;
  },
): Promise<LogoutToken> => {
  const issuer = issuerOf(token);
  const [first, ...others] = providers.filter((provider) => provider.issuer === issuer);
  if (first === undefined) return refuse("the issuer is not one of the identity providers");
  const ofIssuer = [first, ...others];
  const { payload, protectedHeader } = await verified(token, keysOf(first), {
    algorithms,
    issuer: first.issuer,
    currentDate: new Date(now),
    clockTolerance: CLOCK_SKEW,
    requiredClaims: ["aud", "exp", "iat", "jti", "events"],
  });
  const { typ = "JWT" } = protectedHeader;
  if (typeof typ !== "string" || !TYPE.test(typ)) return refuse("the type is that of another token");
  const addressed = providersAddressed(payload, ofIssuer);
  const { subject, sessionId, jti } = whom(payload);
  if ("nonce" in payload) return refuse("there is a nonce: that is an ID token's");
  if (!holdsEvent(payload)) return refuse("the event is not a back-channel logout");
  const { iat = 0, exp = 0 } = payload;
  const seconds = Math.floor(now / 1000);
  if (iat > seconds + CLOCK_SKEW) return refuse("it was issued in the future");
  if (iat < seconds - LONGEST_AGE) return refuse("it was issued too long ago");
  const refusedFrom = Math.ceil(Math.min(exp, iat + LONGEST_AGE)) + CLOCK_SKEW;
  return { issuer: first.issuer, providers: addressed, subject, sessionId, jti, issuedAt: iat, refusedFrom };
};

/** What it says before anything is known of it: it decides whose keys are asked for. */
const issuerOf = (token: string): string | undefined => {
  try {
    return decodeJwt(token).iss;
  } catch {
    return refuse("it is no signed JWT");
  }
};

type Verified = Awaited<ReturnType<typeof jwtVerify>>;

const verified = async (token: string, keys: ProviderKeys, options: JWTVerifyOptions): Promise<Verified> => {
  const attempt = (set: JWTVerifyGetKey): Promise<Verified> => verifyWithAny(token, set, options);
  try {
    return await attempt(await keys.get()).catch(async (error: unknown) => {
      const renewed = error instanceof errors.JWKSNoMatchingKey ? await keys.renew() : undefined;
      if (renewed === undefined) throw error;
      return attempt(renewed);
    });
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refuse("it has expired");
    if (error instanceof errors.JWTClaimValidationFailed) return refuse(`the claim ${error.claim} is missing or wrong`);
    if (error instanceof errors.JWKSNoMatchingKey) return refuse("none of the issuer's keys is the one it names");
    if (error instanceof errors.JOSEError)
      return refuse("the signature is not the issuer's, or not of a kind that is accepted");
    // A key that cannot be used, as those of curves that this runtime does not know.
    if (error instanceof TypeError || error instanceof DOMException)
      return refuse("the issuer's key for it cannot be used");
    throw error;
  }
};

/** Without a `kid` several keys may fit. */
const verifyWithAny = async (token: string, set: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<Verified> => {
  try {
    return await jwtVerify(token, set, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error)
      try {
        return await jwtVerify(token, key, options);
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other;
      }
    throw new errors.JWSSignatureVerificationFailed();
  }
};

/** It must be meant for this application, and for nobody else besides (OpenID Connect Core 1.0, section 3.1.3.7, step 3). */
const providersAddressed = (
  { aud = [] }: JWTPayload,
  providers: readonly IdentityProvider[],
): readonly IdentityProvider[] => {
  const audience = [aud].flat();
  const addressed = providers.filter(({ clientId }) => audience.includes(clientId));
  const isOnlyOurs = audience.every((name) => addressed.some(({ clientId }) => clientId === name));
  return addressed.length > 0 && isOnlyOurs ? addressed : refuse("the audience is another application");
};

const whom = ({
  sub,
  sid,
  jti,
}: JWTPayload): { subject?: string | undefined; sessionId?: string | undefined; jti: string } => {
  for (const [name, value] of Object.entries({ sub, sid, jti }))
    if (value !== undefined && (typeof value !== "string" || value === ""))
      return refuse(`the claim ${name} is no name`);
  if (sub === undefined && sid === undefined) return refuse("neither sub nor sid says who is to be logged out");
  return { subject: sub, sessionId: sid as string | undefined, jti: jti ?? refuse("the claim jti is missing") };
};

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const holdsEvent = ({ events }: JWTPayload): boolean =>
  isObject(events) && Object.hasOwn(events, EVENT) && isObject((events as Readonly<Record<string, unknown>>)[EVENT]);
