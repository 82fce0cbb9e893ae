import { constants, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { millis, type TenantId, type UserId } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessTokenFormats, issueAccessToken } from "../../src/tokens/access-token.js";
import { createKeySet } from "../../src/keys/key-set.js";
import type { AccessTokenClaims, JsonObject, SessionHandle } from "../../src/session.js";
import { HOUR, StandingClock } from "../standing-clock.js";
import { ANTI_CSRF, claimsAt, makeKey, makeVerifier, SESSION_ID } from "../token-fixtures.js";

const clock = new StandingClock();
// Away from a whole second, so that rounding shows.
clock.advance(123);
const now = clock.now();
const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");

const jsonOf = (part: string | undefined, encoding: BufferEncoding): JsonObject =>
  JSON.parse(Buffer.from(part ?? "", encoding).toString()) as JsonObject;

/** The token's claims without what a clean token, made with anti-CSRF off, does not have. */
const bare = ({ parentSeq, antiCsrfToken, ...rest }: AccessTokenClaims): AccessTokenClaims => {
  void [parentSeq, antiCsrfToken];
  return rest;
};

describe("version 2", () => {
  it("is the form of version 1 with the literal header of its own, without isPaid", () => {
    const issued = claimsAt(now, "v2");
    const { token, expiry, createdTime } = issueAccessToken(issued, rsa.signer);
    const [header, payload] = token.split(".");
    expect(header).toBe(Buffer.from('{"alg":"RS256","typ":"JWT","version":"2"}').toString("base64"));
    const { isPaid, ...body } = jsonOf(issueAccessToken(claimsAt(now, "v1"), rsa.signer).token.split(".")[1], "base64");
    expect(isPaid).toBe(false);
    expect(jsonOf(payload, "base64")).toStrictEqual(body);
    expect({ expiry, createdTime }).toEqual({ expiry: now + HOUR, createdTime: now });
    expect(() => issueAccessToken(issued, ec.signer)).toThrow(/version 2 are not signed with ES256/);
  });
});

describe("version 1", () => {
  it("is three parts of standard base64 with the documented literal header, signed with RSA and SHA-256", () => {
    const { token } = issueAccessToken(claimsAt(now, "v1"), rsa.signer);
    const [header, payload, signature] = token.split(".");
    expect(header).toBe("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=");
    expect(token).toMatch(
      /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\.[A-Za-z0-9+/]+={0,2}\.[A-Za-z0-9+/]{342}==$/,
    );
    const isGood = verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${payload}`),
      { key: rsa.publicKey, padding: constants.RSA_PKCS1_PADDING },
      Buffer.from(signature ?? "", "base64"),
    );
    expect(isGood).toBe(true);
  });

  it("has exactly the documented members", () => {
    const { token, expiry, createdTime } = issueAccessToken(claimsAt(now, "v1"), rsa.signer);
    const body = {
      sessionHandle: SESSION_ID,
      userId: "user-1",
      refreshTokenHash1: "3",
      parentRefreshTokenHash1: "2",
      userData: claimsAt(now, "v1").payload,
      antiCsrfToken: ANTI_CSRF,
      expiryTime: now + HOUR,
      timeCreated: now,
      isPaid: false,
    };
    expect(jsonOf(token.split(".")[1], "base64")).toStrictEqual(body);
    expect({ expiry, createdTime }).toEqual({ expiry: now + HOUR, createdTime: now });

    const clean = issueAccessToken(bare(claimsAt(now, "v1")), rsa.signer).token;
    expect(Object.keys(jsonOf(clean.split(".")[1], "base64"))).not.toContain("parentRefreshTokenHash1");
    expect(Object.keys(jsonOf(clean.split(".")[1], "base64"))).not.toContain("antiCsrfToken");
  });

  it("is never signed with a key of another algorithm", () => {
    expect(() => issueAccessToken(claimsAt(now, "v1"), ec.signer)).toThrow(/version 1 are not signed with ES256/);
  });

  it("says its tenant through its handle", () => {
    const handle = `${SESSION_ID}_acme` as SessionHandle;
    const { token } = issueAccessToken(claimsAt(now, "v1", { handle, tenantId: "acme" as TenantId }), rsa.signer);
    const outcome = makeVerifier(clock, [rsa]).verify({ accessToken: token });
    expect(outcome).toMatchObject({ kind: "valid", claims: { handle, tenantId: "acme" } });
  });
});

describe.each([
  ["v3", "3", []],
  ["v4", "4", ["tId"]],
] as const)("%s", (form, version, ownerClaims) => {
  it("is version 5 with fewer claims, which are then free for the application", () => {
    const payload = { tId: "mine", rsub: [1], role: "x" };
    const { token } = issueAccessToken(claimsAt(now, form, { payload }), ec.signer);
    const [header, body] = token.split(".");
    expect(jsonOf(header, "base64url")).toEqual({ alg: "ES256", typ: "JWT", version, kid: "d-1" });
    expect(jsonOf(body, "base64url")).toEqual({
      sub: "user-1",
      iat: Math.floor(now / 1000),
      exp: Math.floor((now + HOUR) / 1000),
      sessionHandle: SESSION_ID,
      refreshTokenHash1: "3",
      parentRefreshTokenHash1: "2",
      antiCsrfToken: ANTI_CSRF,
      ...payload,
      ...Object.fromEntries(ownerClaims.map((name) => [name, "public"])),
    });
    const free = Object.fromEntries(
      Object.entries(payload).filter(([name]) => !(ownerClaims as readonly string[]).includes(name)),
    );
    expect(makeVerifier(clock, [ec]).verify({ accessToken: token })).toMatchObject({
      kind: "valid",
      claims: { form, tenantId: "public", payload: free },
    });
  });

  it("says its tenant", () => {
    const handle = `${SESSION_ID}_acme` as SessionHandle;
    const { token } = issueAccessToken(claimsAt(now, form, { handle, tenantId: "acme" as TenantId }), rsa.signer);
    const outcome = makeVerifier(clock, [rsa]).verify({ accessToken: token });
    expect(outcome).toMatchObject({ kind: "valid", claims: { handle, tenantId: "acme" } });
  });
});

describe.each([ec, rsa])("version 5 with $signer.algorithm", (key) => {
  it("is base64url without padding, verifies by the published JWK, and names its key", () => {
    const { token } = issueAccessToken(claimsAt(now, "v5"), key.signer);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const [header, payload, signature] = token.split(".");
    const { alg, typ, version, kid, ...rest } = jsonOf(header, "base64url");
    expect({ alg, typ, version, kid, rest }).toEqual({
      alg: key.signer.algorithm,
      typ: "JWT",
      version: "5",
      kid: key.signer.kid,
      rest: {},
    });

    const jwk = createKeySet([key.verification]).keys.find(
      (published) => published.kid === kid && published.alg === alg,
    );
    expect(jwk?.use).toBe("sig");
    const isGood = verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      { key: createPublicKey({ key: { ...jwk } as JsonWebKey, format: "jwk" }), dsaEncoding: "ieee-p1363" },
      Buffer.from(signature ?? "", "base64url"),
    );
    expect(isGood).toBe(true);
  });

  it("has the documented members, null where there is none, and the payload at the root", () => {
    const body = {
      sub: "user-1",
      iat: Math.floor(now / 1000),
      exp: Math.floor((now + HOUR) / 1000),
      tId: "public",
      rsub: "user-1",
      sessionHandle: SESSION_ID,
      refreshTokenHash1: "3",
      parentRefreshTokenHash1: "2",
      antiCsrfToken: ANTI_CSRF,
      ...claimsAt(now, "v5").payload,
    };
    const { token, expiry, createdTime } = issueAccessToken(claimsAt(now, "v5"), key.signer);
    expect(jsonOf(token.split(".")[1], "base64url")).toStrictEqual(body);
    expect({ expiry, createdTime }).toEqual({ expiry: body.exp * 1000, createdTime: body.iat * 1000 });

    const clean = issueAccessToken(bare(claimsAt(now, "v5")), key.signer).token;
    expect(jsonOf(clean.split(".")[1], "base64url")).toStrictEqual({
      ...body,
      parentRefreshTokenHash1: null,
      antiCsrfToken: null,
    });
  });
});

describe.each([ec, rsa])("the form pawl with $signer.algorithm", (key) => {
  const auth = { at: millis(now - 5000), methods: ["pwd", "otp"], level: "urn:example:two" };
  const full = claimsAt(now, "pawl", { payloadVersion: 7, auth, actor: { userId: "helper" as UserId } });
  const bodyOf = (claims: AccessTokenClaims): JsonObject =>
    jsonOf(issueAccessToken(claims, key.signer).token.split(".")[1], "base64url");

  it("names itself and its key in the header", () => {
    const [header] = issueAccessToken(full, key.signer).token.split(".");
    expect(jsonOf(header, "base64url")).toStrictEqual({
      alg: key.signer.algorithm,
      typ: "JWT",
      version: "pawl",
      kid: key.signer.kid,
    });
  });

  it("has registered names, nothing where there is nothing to say, and the payload at the root", () => {
    const body = {
      sub: "user-1",
      act: { sub: "helper" },
      sid: SESSION_ID,
      tId: "public",
      iat: Math.floor(now / 1000),
      exp: Math.floor((now + HOUR) / 1000),
      pver: 7,
      auth_time: Math.floor(auth.at / 1000),
      amr: ["pwd", "otp"],
      acr: "urn:example:two",
      refreshTokenHash1: "3",
      parentRefreshTokenHash1: "2",
      antiCsrfToken: ANTI_CSRF,
      ...full.payload,
    };
    expect(bodyOf(full)).toStrictEqual(body);

    const { act, acr, amr, parentRefreshTokenHash1, antiCsrfToken, ...least } = body;
    const { at } = auth;
    const plain = bare(claimsAt(now, "pawl", { auth: { at, methods: [] } }));
    expect(bodyOf(plain)).toStrictEqual({ ...least, pver: 0 });
    void [act, acr, amr, parentRefreshTokenHash1, antiCsrfToken];
  });
});

it.each(["v1", "v2", "v3", "v4", "v5"] as const)(
  "%s says the payload's version where no name of the application's can be, and none where there was no change",
  (form) => {
    const bodyWith = (payloadVersion: number): JsonObject => {
      const claims = claimsAt(now, form, { payloadVersion, payload: { pver: "mine" } });
      const [, body] = issueAccessToken(claims, rsa.signer).token.split(".");
      return jsonOf(body, "base64url");
    };
    expect(bodyWith(0)).toMatchObject({ refreshTokenHash1: "3", parentRefreshTokenHash1: "2" });
    expect(bodyWith(12)).toStrictEqual({ ...bodyWith(0), refreshTokenHash1: "3v12" });
  },
);

describe("what is read is what was written", () => {
  const verifier = makeVerifier(clock, [rsa, ec]);
  const payload = fc
    .dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", "7", "é\u2028", "iss", "stt")),
      fc.jsonValue({ noUnicodeString: false, maxDepth: 3 }),
      { maxKeys: 6 },
    )
    .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
  const userId = fc.string({ minLength: 1 }).map((id) => id as UserId);
  const anyClaims = fc.record(
    {
      seq: fc.oneof(fc.nat(), fc.constantFrom(0, 1, 999_999_999_999_999)),
      parentSeq: fc.nat(),
      antiCsrfToken: fc.uuid(),
      userId,
      payload,
      payloadVersion: fc.oneof(fc.nat(), fc.constantFrom(0, 1, 999_999_999_999_999)),
    },
    { requiredKeys: ["seq", "userId", "payload", "payloadVersion"] },
  );
  const withIdentity = fc.record(
    {
      auth: fc.record(
        {
          at: fc.nat().map((seconds) => millis(seconds * 1000)),
          methods: fc.array(fc.string(), { maxLength: 3 }),
          level: fc.string(),
        },
        { requiredKeys: ["at", "methods"] },
      ),
      actor: fc.record({ userId }),
      bound: fc.constant(true as const),
    },
    { requiredKeys: [] },
  );

  it.each([
    ["v1", ec, rsa],
    ["v2", ec, rsa],
    ["v3", ec, ec],
    ["v4", ec, ec],
    ["v5", ec, ec],
    ["pawl", ec, ec],
  ] as const)("in %s", (form, _, key) => {
    fc.assert(
      fc.property(anyClaims, withIdentity, (changed, identity) => {
        const { protectedClaims } = accessTokenFormats[form];
        fc.pre(!Object.keys(changed.payload).some((name) => protectedClaims.has(name)));
        const claims = { ...bare(claimsAt(now, form)), ...changed, ...(form === "pawl" && identity) };
        const outcome = verifier.verify({ accessToken: issueAccessToken(claims, key.signer).token });
        const isExact = accessTokenFormats[form].timeUnit === 1;
        const second = isExact ? now : Math.floor(now / 1000) * 1000 + 1000;
        const end = isExact ? now + HOUR : Math.floor((now + HOUR) / 1000) * 1000;
        const read = { ...claims, issuedAt: second, expiresAt: end };
        expect(outcome.kind).toBe("valid");
        // As text, so that a member `__proto__` counts as what it is.
        const [got, wanted] = [outcome.kind === "valid" && outcome.claims, read].map((value) =>
          JSON.stringify(value, (_name, member: unknown) =>
            typeof member === "object" && member !== null && !Array.isArray(member)
              ? Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : 1))
              : member,
          ),
        );
        expect(got).toBe(wanted);
      }),
      { numRuns: form === "v5" || form === "pawl" ? 200 : 60 },
    );
  });

  it.each([
    '{"role":"a"}',
    '{"role":"a" , "n" : 1.50}',
    ' {"role":"a"}',
    '{ "role":"a"}',
    "{}",
    "{ }",
    '{"sub":"mallory","role":"a"}',
    '{"role":"a","sessionHandle":"other","exp":9999999999}',
  ])("the stored text %j makes the token that its payload makes", (stored) => {
    const claims = claimsAt(now, "v5", { payload: JSON.parse(stored) as JsonObject });
    const read = (text?: string) => {
      const outcome = verifier.verify({ accessToken: issueAccessToken(claims, ec.signer, text).token });
      return outcome.kind === "valid" ? outcome.claims : outcome;
    };
    expect(read(stored)).toEqual(read());
    expect(read(stored)).toMatchObject({ userId: claims.userId, handle: claims.handle });
  });

  const protectedByV5 = [
    "antiCsrfToken",
    "exp",
    "iat",
    "parentRefreshTokenHash1",
    "refreshTokenHash1",
    "rsub",
    "sessionHandle",
    "sub",
    "tId",
  ];
  const ownOfPawl = ["acr", "act", "amr", "aud", "auth_time", "client_id", "dbsc", "iss", "jti", "pver", "sid"];

  it.each([
    ["v5", protectedByV5],
    ["pawl", [...protectedByV5, ...ownOfPawl]],
  ] as const)("a payload cannot take the place of the own claims of %s", (form, own) => {
    const names = [...accessTokenFormats[form].protectedClaims];
    expect(new Set(names)).toEqual(new Set(own));
    const hostile = Object.fromEntries(names.map((name) => [name, "hostile"]));
    const { token } = issueAccessToken(claimsAt(now, form, { payload: { ...hostile, role: "x" } }), ec.signer);
    const text = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
    expect(text).not.toContain("hostile");
    // No member stands there twice: parsers differ in which of two they take.
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(verifier.verify({ accessToken: token })).toMatchObject({
      kind: "valid",
      claims: { handle: SESSION_ID, userId: "user-1", payload: { role: "x" }, payloadVersion: 0 },
    });
  });

  it("the prototype of nothing is changed by a payload (CVE-2019-10744)", () => {
    const payload = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as JsonObject;
    for (const [form, key] of [
      ["v1", rsa],
      ["v5", ec],
      ["pawl", ec],
    ] as const) {
      const { token } = issueAccessToken(claimsAt(now, form, { payload }), key.signer);
      const outcome = verifier.verify({ accessToken: token });
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      const read = outcome.kind === "valid" ? outcome.claims.payload : {};
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      expect((read as { polluted?: unknown }).polluted).toBeUndefined();
      expect(JSON.stringify(read)).toBe(JSON.stringify(payload));
    }
  });

  it("the age of a token of whole seconds counts from the end of its second: never older than it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), (shift) => {
        const issuedAt = millis(now + shift);
        const outcome = verifier.verify({
          accessToken: issueAccessToken(claimsAt(now, "v5", { issuedAt }), ec.signer).token,
        });
        const read = outcome.kind === "valid" ? outcome.claims.issuedAt : 0;
        expect(read).toBeGreaterThan(issuedAt);
        expect(read - issuedAt).toBeLessThanOrEqual(1000);
      }),
      { numRuns: 30 },
    );
  });
});
