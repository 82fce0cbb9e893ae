import { type IssuedSession, type IssuedToken, type RandomSource, randomUuid, type SessionEngine } from "@pawl/engine";
import type { SigningKeyKind } from "@pawl/storage";
import type { CookieConfig } from "../../config/core-config.js";

/** A time that never comes, as the original writes it: Java's `Long.MAX_VALUE`, which no JavaScript number holds. */
const NEVER = "9223372036854775807";

/** A token with what its cookie has to say; `domain` is left out when none is configured. */
export const tokenInfo = (token: IssuedToken, cookiePath: string, { secure, domain }: CookieConfig) => ({
  token: token.token,
  expiry: token.expiry,
  createdTime: token.createdTime,
  cookiePath,
  cookieSecure: secure,
  domain,
});

/** The members that create and refresh answer with. The id refresh token is a mere flag: random, stored nowhere. */
export const issuedSession = (
  { session, accessToken, refreshToken, antiCsrfToken }: IssuedSession,
  { cookies, random }: { readonly cookies: CookieConfig; readonly random: RandomSource },
) => ({
  session: { handle: session.handle, userId: session.userId, userDataInJWT: session.payload },
  accessToken: tokenInfo(accessToken, cookies.accessTokenPath, cookies),
  refreshToken: tokenInfo(refreshToken, cookies.refreshApiPath, cookies),
  idRefreshToken: {
    token: randomUuid(random),
    expiry: refreshToken.expiry,
    createdTime: refreshToken.createdTime,
  },
  antiCsrfToken,
});

/** The public key that signs tokens of version 1 now and when it gives way, as the last members of a JSON object. */
export const signingKeyMembers = async (engine: SessionEngine, kind: SigningKeyKind): Promise<string> => {
  const key = await engine.signingPublicKey("RS256", kind);
  return `"jwtSigningPublicKey":${JSON.stringify(key)},"jwtSigningPublicKeyExpiryTime":${keyExpiry(engine, kind)}`;
};

const keyExpiry = (engine: SessionEngine, kind: SigningKeyKind): string => {
  if (kind === "static") return NEVER;
  const keys = engine.listSigningKeys().filter((key) => key.algorithm === "RS256" && key.kind === "dynamic");
  const next = keys.find(({ status }) => status === "next");
  const active = keys.find(({ status }) => status === "active");
  if (next !== undefined) return String(next.signsFrom);
  return active === undefined ? NEVER : String(active.signsFrom + engine.policy.signingKeyUpdateInterval);
};
