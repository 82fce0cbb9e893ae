import { sign } from "node:crypto";
import type { SessionId } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { accessTokenFormats, issueAccessToken } from "../../src/tokens/access-token.js";
import { antiCsrfToken, antiCsrfTokenMatches } from "../../src/tokens/anti-csrf.js";
import { keyCheck, keyCheckMatches, openPrivateKey, sealPrivateKey } from "../../src/keys/master-key.js";
import { randomUuid, systemRandom } from "../../src/random.js";
import type { AccessTokenForm } from "../../src/session.js";
import { signJwt } from "../../src/tokens/jwt.js";
import { createRefreshTokenSeal } from "../../src/tokens/refresh-token.js";
import { StandingClock } from "../standing-clock.js";
import { claimsAt, makeKey, makeVerifier, masterKeys, SESSION_ID } from "../token-fixtures.js";

// RFC 8725 section 2.8 and 3.12: no kind of token passes for another.

const clock = new StandingClock();
const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");
const verifier = makeVerifier(clock, [rsa, ec]);
const masters = masterKeys(1);
const refresh = createRefreshTokenSeal(masters, systemRandom);
const secret = systemRandom.bytes(32);
const name = { kid: "d-1", algorithm: "ES256" } as const;
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of an application's own, signed with our key: no `version`, no claim of a session. */
const applicationToken = (claims: object): string => {
  const signed = `${encode({ alg: "ES256", typ: "JWT", kid: "d-1" })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
};

const bodyOf = (form: AccessTokenForm): object => {
  const [, body = ""] = issueAccessToken(claimsAt(clock.now(), form), ec.signer).token.split(".");
  return JSON.parse(Buffer.from(body, "base64url").toString()) as object;
};

const oauth = { issuer: "https://a.example", audience: ["b"], clientId: "b", tokenId: "1" };
const oauthClaims = claimsAt(clock.now(), "pawl", { oauth });
const [oauthHead = "", oauthPart = ""] = issueAccessToken(oauthClaims, ec.signer).token.split(".");
const oauthBody = JSON.parse(Buffer.from(oauthPart, "base64url").toString()) as object;

const underHeaderOf = (form: AccessTokenForm, claims: object): string => {
  const signed = `${ec.signer.headers.get(accessTokenFormats[form])}.${encode(claims)}`;
  return `${signed}.${signJwt(signed, ec.signer).toString("base64url")}`;
};

const tokens = {
  "access token 1": issueAccessToken(claimsAt(clock.now(), "v1"), rsa.signer).token,
  "access token 2": issueAccessToken(claimsAt(clock.now(), "v2"), rsa.signer).token,
  "access token 3": issueAccessToken(claimsAt(clock.now(), "v3"), ec.signer).token,
  "access token 4": issueAccessToken(claimsAt(clock.now(), "v4"), rsa.signer).token,
  "access token 5": issueAccessToken(claimsAt(clock.now(), "v5"), ec.signer).token,
  "access token pawl": issueAccessToken(claimsAt(clock.now(), "pawl"), ec.signer).token,
  "access token of RFC 9068": issueAccessToken(oauthClaims, ec.signer).token,
  "refresh token": refresh.seal({ id: SESSION_ID, seq: 0, iat: clock.now(), antiCsrf: true, secret }),
  "anti-CSRF token": antiCsrfToken(secret, SESSION_ID),
  "id token": randomUuid(systemRandom),
  "session handle": SESSION_ID as SessionId as string,
  "sealed private key": sealPrivateKey(ec.privateKey, name, { masterKeys: masters, random: systemRandom }),
  "key check": keyCheck(masters),
  "application's token": applicationToken({ sub: "user-1", exp: 2_000_000_000, iat: 1_900_000_000 }),
  "application's token that claims a session": applicationToken(bodyOf("v5")),
  "application's token that claims a session of our own SDK": applicationToken(bodyOf("pawl")),
  "access token pawl under the header of version 5": underHeaderOf("v5", bodyOf("pawl")),
  "access token 5 under the header of pawl": underHeaderOf("pawl", bodyOf("v5")),
  "access token of RFC 9068 under the header of pawl": underHeaderOf("pawl", oauthBody),
  "access token of RFC 9068 under the header of version 5": underHeaderOf("v5", oauthBody),
  "access token pawl under the header of RFC 9068": `${oauthHead}.${encode(bodyOf("pawl"))}.${signJwt(`${oauthHead}.${encode(bodyOf("pawl"))}`, ec.signer).toString("base64url")}`,
} as const;

const attempt = (open: () => unknown): boolean => {
  try {
    return open() !== undefined;
  } catch {
    return false;
  }
};

const accessTokens = [
  "access token 1",
  "access token 2",
  "access token 3",
  "access token 4",
  "access token 5",
  "access token pawl",
  "access token of RFC 9068",
] as const;

const consumers: Readonly<
  Record<string, { readonly accepts: (token: string) => boolean; readonly own: readonly (keyof typeof tokens)[] }>
> = {
  verify: {
    accepts: (token) => verifier.verify({ accessToken: token }).kind === "valid",
    own: accessTokens,
  },
  authenticate: {
    accepts: (token) => verifier.authenticate(token).kind === "authentic",
    own: accessTokens,
  },
  refresh: { accepts: (token) => refresh.open(token) !== undefined, own: ["refresh token"] },
  "refresh, with the prefix put before it": {
    accepts: (token) => refresh.open(`pawl_rt_1.${token}`) !== undefined,
    own: [],
  },
  "anti-CSRF": {
    accepts: (token) => antiCsrfTokenMatches(antiCsrfToken(secret, SESSION_ID), token),
    own: ["anti-CSRF token"],
  },
  "signing key": {
    accepts: (token) => attempt(() => openPrivateKey(token, name, masters)),
    own: ["sealed private key"],
  },
  "key check": { accepts: (token) => keyCheckMatches(token, masters), own: ["key check"] },
};

describe.each(Object.entries(consumers))("%s", (_, { accepts, own }) => {
  it.each(Object.entries(tokens))("and a %s", (kind, token) => {
    expect(accepts(token)).toBe((own as readonly string[]).includes(kind));
  });
});

describe("a sealed refresh token and a sealed private key", () => {
  it("are sealed with different keys", () => {
    const sealed = Buffer.from(tokens["refresh token"].slice(10), "base64url");
    expect(attempt(() => openPrivateKey(sealed.toString("base64url"), name, masters))).toBe(false);
  });
});
