import { millis, type UserId } from "@pawl/storage";
import { beforeEach, describe, expect, it } from "vitest";
import { accessTokenFormats, issueAccessToken } from "../../src/tokens/access-token.js";
import {
  createAccessTokenVerifier,
  type KeyedAccessTokenVerifier,
} from "../../src/verification/access-token-verifier.js";
import { signJwt } from "../../src/tokens/jwt.js";
import { createKeySet, type KeySet, verificationKeysFromJwks } from "../../src/keys/key-set.js";
import type { AccessTokenClaims, AccessTokenForm, JsonObject, SessionHandle } from "../../src/session.js";
import { HOUR, StandingClock } from "../standing-clock.js";
import { ANTI_CSRF, claimsAt, makeKey, makeVerifier, SESSION_ID, type TokenKey } from "../token-fixtures.js";

const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");
const forms: readonly (readonly [AccessTokenForm, TokenKey])[] = [
  ["v1", rsa],
  ["v2", rsa],
  ["v3", rsa],
  ["v4", ec],
  ["v5", ec],
  ["v5", rsa],
  ["pawl", ec],
  ["pawl", rsa],
];
const handle = SESSION_ID as string as SessionHandle;

let clock: StandingClock;
let verifier: KeyedAccessTokenVerifier;
beforeEach(() => {
  clock = new StandingClock();
  verifier = makeVerifier(clock, [rsa, ec]);
});

describe.each(forms)("a token of %s", (form, key) => {
  const issue = (changed: Partial<AccessTokenClaims> = {}): string =>
    issueAccessToken(claimsAt(clock.now(), form, changed), key.signer).token;
  const change = (payloadVersion: number, at = clock.now()): void =>
    verifier.markChanged({ handle, payloadVersion, at });

  it("is valid from the first millisecond to the last before its end, and not at its end", () => {
    const { token, expiry } = issueAccessToken(claimsAt(clock.now(), form), key.signer);
    expect(verifier.verify({ accessToken: token }).kind).toBe("valid");
    clock.advance(expiry - clock.now() - 1);
    expect(verifier.verify({ accessToken: token }).kind).toBe("valid");
    clock.advance(1);
    const expired = { kind: "try_refresh", why: "expired", message: "Access token expired" };
    expect(verifier.verify({ accessToken: token })).toEqual(expired);
    expect(makeVerifier(clock, [key]).verify({ accessToken: token })).toEqual(expired);
    expect(verifier.authenticate(token).kind).toBe("authentic");
  });

  it("is accepted from a maker whose clock runs ahead", () => {
    const accessToken = issue();
    clock.advance(-600_000);
    expect(verifier.verify({ accessToken }).kind).toBe("valid");
  });

  it("is refused without its anti-CSRF token, or with another, where that is asked for", () => {
    const accessToken = issue();
    const refused = { kind: "try_refresh", why: "anti_csrf", message: "anti-csrf check failed" };
    const check = (antiCsrfToken?: string, enableAntiCsrf?: boolean): unknown =>
      verifier.verify({
        accessToken,
        doAntiCsrfCheck: true,
        ...(antiCsrfToken !== undefined && { antiCsrfToken }),
        ...(enableAntiCsrf !== undefined && { enableAntiCsrf }),
      });
    for (let twice = 0; twice < 2; twice += 1) {
      expect(check(ANTI_CSRF)).toMatchObject({ kind: "valid" });
      for (const other of [undefined, "", ANTI_CSRF.toUpperCase(), `${ANTI_CSRF}0`, ANTI_CSRF.slice(1)])
        expect(check(other)).toEqual(refused);
      expect(check("wrong", false)).toMatchObject({ kind: "valid" });
      expect(verifier.verify({ accessToken, antiCsrfToken: "wrong" })).toMatchObject({ kind: "valid" });
    }
  });

  it("that was made without an anti-CSRF token is refused where one is asked for", () => {
    const { antiCsrfToken, ...claims } = claimsAt(clock.now(), form);
    const { token: accessToken } = issueAccessToken(claims, key.signer);
    expect(verifier.verify({ accessToken }).kind).toBe("valid");
    for (const given of [{}, { antiCsrfToken: "" }, { antiCsrfToken: "null" }, { antiCsrfToken: antiCsrfToken ?? "" }])
      expect(verifier.verify({ accessToken, doAntiCsrfCheck: true, ...given })).toMatchObject({ why: "anti_csrf" });
  });

  it("is refused as soon as its session was revoked, seen before or not", () => {
    const accessToken = issue();
    verifier.verify({ accessToken });
    verifier.markRevoked(handle, clock.now());
    const revoked = { kind: "unauthorised", why: "revoked", message: "session was revoked" };
    expect(verifier.verify({ accessToken })).toEqual(revoked);
    expect(verifier.verify({ accessToken: issue() })).toEqual(revoked);
    expect(verifier.verifyIgnoringFeeds({ accessToken }).kind).toBe("valid");
  });

  it("is to be refreshed once its session has changed, also one seen before (GHSA-xg6x-h9c9-2m83), and its successor is valid", () => {
    const accessToken = issue();
    verifier.verify({ accessToken });
    change(1);
    const outdated = {
      kind: "try_refresh",
      why: "outdated",
      message: "the session has changed since the access token was made",
    };
    expect(verifier.verify({ accessToken })).toEqual(outdated);
    expect(verifier.verify({ accessToken: issue() })).toEqual(outdated);
    expect(verifier.verify({ accessToken: issue({ payloadVersion: 1 }) }).kind).toBe("valid");
    expect(verifier.verify({ accessToken: issue({ payloadVersion: 2 }) }).kind).toBe("valid");
    expect(verifier.verify({ accessToken: issue({ handle: `${SESSION_ID}_acme` as SessionHandle }) }).kind).toBe(
      "valid",
    );
    expect(verifier.verifyIgnoringFeeds({ accessToken }).kind).toBe("valid");
    expect(verifier.isRevoked(handle)).toBe(false);
    expect(verifier.versionsLost).toBe(0);
  });

  it("stays refused after a change for its whole life, whatever else changes, and also where older news come late", () => {
    for (let before = 0; before < 120; before += 15) {
      const other = makeVerifier(clock, [key]);
      other.markChanged({ handle: "first" as SessionHandle, payloadVersion: 1, at: clock.now() });
      clock.advance(before * 60_000);
      const accessToken = issue({ payloadVersion: 1 });
      const change = { handle, payloadVersion: 2, at: clock.now() };
      other.markChanged(change);
      for (let minute = 0; minute < 60; minute += 1) {
        other.markChanged({ handle: `other-${minute}` as SessionHandle, payloadVersion: 1, at: clock.now() });
        other.markChanged({ handle, payloadVersion: 1, at: millis(change.at - minute * 60_000) });
        expect(other.verify({ accessToken })).toMatchObject({ why: "outdated" });
        clock.advance(59_983);
      }
    }
  });

  it("is refused as revoked whether its session changed before or after that", () => {
    for (const isFirst of [true, false]) {
      const other = makeVerifier(clock, [key]);
      if (isFirst) other.markChanged({ handle, payloadVersion: 1, at: clock.now() });
      other.markRevoked(handle, clock.now());
      if (!isFirst) other.markChanged({ handle, payloadVersion: 1, at: clock.now() });
      for (const payloadVersion of [0, 1])
        expect(other.verify({ accessToken: issue({ payloadVersion }) })).toMatchObject({ why: "revoked" });
    }
  });

  it("is not touched by a change too old to concern any token", () => {
    const accessToken = issue();
    change(1, millis(clock.now() - 2 * HOUR));
    expect(verifier.verify({ accessToken }).kind).toBe("valid");
  });

  it("that was made long after a change and does not know it shows lost commits: it is valid, and counted once", () => {
    change(2);
    const before = issue();
    clock.advance(30_000 - 1000);
    expect(verifier.verify({ accessToken: issue({ payloadVersion: 1 }) })).toMatchObject({ why: "outdated" });
    clock.advance(2000);
    const after = issue({ payloadVersion: 1 });
    expect(verifier.verify({ accessToken: after }).kind).toBe("valid");
    expect(verifier.verify({ accessToken: after }).kind).toBe("valid");
    expect(verifier.versionsLost).toBe(1);
    // What it does know still counts.
    expect(verifier.verify({ accessToken: before })).toMatchObject({ why: "outdated" });
    change(2);
    expect(verifier.verify({ accessToken: after })).toMatchObject({ why: "outdated" });
    expect(verifier.versionsLost).toBe(1);
  });

  it("that was made long before a change is refused whatever version it names, which may be that of a lost one", () => {
    const lost = issue({ payloadVersion: 3 });
    clock.advance(32_000);
    change(2);
    expect(verifier.verify({ accessToken: lost })).toMatchObject({ why: "outdated" });
    expect(verifier.verify({ accessToken: issue({ payloadVersion: 2 }) }).kind).toBe("valid");
  });

  it("stays refused for its whole life, whatever was revoked before and besides", () => {
    for (let before = 0; before < 120; before += 15) {
      const other = makeVerifier(clock, [key]);
      other.markRevoked("first" as SessionHandle, clock.now());
      clock.advance(before * 60_000);
      const accessToken = issue();
      other.markRevoked(handle, clock.now());
      for (let minute = 0; minute < 60; minute += 1) {
        other.markRevoked(`other-${minute}` as SessionHandle, clock.now());
        expect(other.verify({ accessToken })).toMatchObject({ why: "revoked" });
        clock.advance(59_983);
      }
    }
  });

  it("is not touched by a revocation too old to concern any token, such as a feed tells that is read again", () => {
    const accessToken = issue();
    verifier.markRevoked(handle, clock.now() - 2 * HOUR);
    expect(verifier.verify({ accessToken }).kind).toBe("valid");
    verifier.markRevoked(handle, clock.now() - HOUR);
    expect(verifier.verify({ accessToken })).toMatchObject({ why: "revoked" });
  });

  it("is judged in the documented order: signature, structure, expiry, anti-CSRF, revocation, changes", () => {
    const accessToken = issue();
    change(1);
    expect(verifier.verify({ accessToken, doAntiCsrfCheck: true })).toMatchObject({ why: "anti_csrf" });
    verifier.markRevoked(handle, clock.now());
    expect(verifier.verify({ accessToken, doAntiCsrfCheck: true })).toMatchObject({ why: "anti_csrf" });
    clock.advance(HOUR);
    expect(verifier.verify({ accessToken, doAntiCsrfCheck: true })).toMatchObject({ why: "expired" });
    expect(verifier.verify({ accessToken: `${accessToken.slice(0, -8)}AAAAAA==` }).kind).toBe("try_refresh");
    expect(verifier.verify({ accessToken: `${accessToken.slice(0, -8)}AAAAAA==` })).not.toMatchObject({
      why: "expired",
    });
  });

  it("gives claims that no caller can change for another", () => {
    const auth = { at: clock.now(), methods: ["pwd"] };
    const accessToken = issue({ auth, actor: { userId: "helper" as UserId } });
    const outcome = verifier.verify({ accessToken });
    if (outcome.kind !== "valid") throw new Error("expected a valid token");
    const payload = outcome.claims.payload as { role: string; nested: { list: unknown[] } };
    expect(() => ((outcome.claims as { userId: string }).userId = "root")).toThrow(TypeError);
    expect(() => (payload.role = "root")).toThrow(TypeError);
    const { auth: sure, actor } = outcome.claims;
    expect([sure, sure?.methods, actor].every(Object.isFrozen)).toBe(true);
    expect(sure === undefined).toBe(form !== "pawl");
    expect(() => payload.nested.list.push("root")).toThrow(TypeError);
    expect(() => ((payload.nested.list[3] as { three: unknown }).three = "root")).toThrow(TypeError);
    expect(JSON.stringify(verifier.verify({ accessToken }))).not.toContain("root");
  });
});

describe("the keys", () => {
  it("of a fetched JWK set verify as well as the engine's own", () => {
    const jwks = JSON.parse(JSON.stringify(createKeySet([rsa.verification, ec.verification]))) as KeySet;
    const other = createAccessTokenVerifier({
      clock,
      keys: verificationKeysFromJwks(jwks),
      accessTokenValidity: millis(HOUR),
      enableAntiCsrf: false,
    });
    for (const [form, key] of forms)
      expect(other.verify({ accessToken: issueAccessToken(claimsAt(clock.now(), form), key.signer).token }).kind).toBe(
        "valid",
      );
  });

  it("that are not known yet are told apart from bad signatures, so that the owner can fetch them", () => {
    const late = createAccessTokenVerifier({ clock, accessTokenValidity: millis(HOUR), enableAntiCsrf: false });
    for (const [form, key] of forms) {
      const { token } = issueAccessToken(claimsAt(clock.now(), form), key.signer);
      late.setKeys([]);
      expect(late.verify({ accessToken: token })).toMatchObject({ kind: "try_refresh", why: "unknown_key" });
      late.setKeys([key.verification]);
      expect(late.verify({ accessToken: token }).kind).toBe("valid");
    }
  });

  it("that are gone verify nothing, also no token that was seen before", () => {
    for (const [form, key] of forms) {
      const accessToken = issueAccessToken(claimsAt(clock.now(), form), key.signer).token;
      verifier.setKeys([rsa.verification, ec.verification]);
      expect(verifier.verify({ accessToken }).kind).toBe("valid");
      verifier.setKeys([rsa, ec].filter((kept) => kept !== key).map((kept) => kept.verification));
      expect(verifier.verify({ accessToken })).toMatchObject({ why: "unknown_key" });
    }
  });

  it("that are gone verify nothing also where they were the only ones", () => {
    for (const [form, key] of forms) {
      const accessToken = issueAccessToken(claimsAt(clock.now(), form), key.signer).token;
      verifier.setKeys([key.verification]);
      expect(verifier.verify({ accessToken }).kind).toBe("valid");
      verifier.setKeys([]);
      expect(verifier.verify({ accessToken })).toMatchObject({ why: "unknown_key" });
    }
  });

  it("that were replaced under the same name verify nothing signed with the old one", () => {
    const accessToken = issueAccessToken(claimsAt(clock.now(), "v5"), ec.signer).token;
    for (const others of [[rsa.verification], []]) {
      verifier.setKeys([...others, ec.verification]);
      expect(verifier.verify({ accessToken }).kind).toBe("valid");
      verifier.setKeys([...others, makeKey("ES256", "d-1").verification]);
      expect(verifier.verify({ accessToken })).toMatchObject({ why: "bad_signature" });
    }
  });

  it("of version 1 are tried one after the other", () => {
    const older = makeKey("RS256", "d-0");
    verifier.setKeys([ec.verification, rsa.verification, older.verification]);
    for (const key of [rsa, older])
      expect(
        verifier.verify({ accessToken: issueAccessToken(claimsAt(clock.now(), "v1"), key.signer).token }).kind,
      ).toBe("valid");
  });
});

it("a token of up to 65,536 characters is taken, a longer one is not, however well it is signed", () => {
  const tokenWith = (size: number): string =>
    issueAccessToken(claimsAt(clock.now(), "v5", { payload: { text: "x".repeat(size) } }), ec.signer).token;
  // Three bytes of the payload are four characters.
  const size = Math.floor(((65_536 - tokenWith(0).length) * 3) / 4);
  const tokens = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((more) => tokenWith(size + more));
  for (const accessToken of tokens)
    expect(verifier.verify({ accessToken })).toMatchObject(
      accessToken.length <= 65_536 ? { kind: "valid" } : { kind: "try_refresh", why: "malformed" },
    );
  expect(tokens.some((token) => token.length <= 65_536)).toBe(true);
  expect(tokens.some((token) => token.length > 65_536)).toBe(true);
});

describe("a well signed token with a body that is not a session's", () => {
  const isNested = (form: AccessTokenForm): boolean => form === "v1" || form === "v2";
  const keyOf = (form: AccessTokenForm): TokenKey => (isNested(form) ? rsa : ec);
  const sign = (form: AccessTokenForm, body: string): string => {
    const { signer } = keyOf(form);
    const encoding = isNested(form) ? "base64" : "base64url";
    const signed = `${signer.headers.get(accessTokenFormats[form])}.${Buffer.from(body).toString(encoding)}`;
    return `${signed}.${signJwt(signed, signer).toString(encoding)}`;
  };
  const allForms = ["v1", "v2", "v3", "v4", "v5", "pawl"] as const;
  const incomplete = {
    kind: "try_refresh",
    why: "incomplete",
    message: "Access token does not contain all the information. Maybe the structure has changed?",
  };
  const bodyOf = (form: AccessTokenForm): JsonObject => {
    const auth = { at: clock.now(), methods: ["pwd"], level: "two" };
    const claims = claimsAt(clock.now(), form, { auth, actor: { userId: "helper" as UserId } });
    const { token } = issueAccessToken(claims, keyOf(form).signer);
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as JsonObject;
  };

  it.each(allForms)("in %s is told, whatever it is", (form) => {
    for (const body of [
      "",
      "null",
      "1",
      '"text"',
      "[]",
      "[{}]",
      "{}",
      "{",
      "{}{}",
      "\0",
      "undefined",
      '{"__proto__":{}}',
    ])
      expect(verifier.verify({ accessToken: sign(form, body) })).toEqual(incomplete);
  });

  it.each(allForms)("in %s is told when any one claim is missing or of another type", (form) => {
    const body = bodyOf(form);
    const isFlat = ["v3", "v4", "v5"].includes(form);
    // Null where there is none in version 3 to 5, absent in the others.
    const optional = ["parentRefreshTokenHash1", "antiCsrfToken", "act", "amr", "acr"];
    const free = isNested(form) ? ["isPaid"] : ["role", "nested"];
    expect(verifier.verify({ accessToken: sign(form, JSON.stringify(body)) }).kind).toBe("valid");
    for (const name of Object.keys(body).filter((claim) => !free.includes(claim))) {
      const { [name]: _, ...less } = body;
      const canMiss = !isFlat && optional.includes(name);
      expect(verifier.verify({ accessToken: sign(form, JSON.stringify(less)) }).kind, name).toBe(
        canMiss ? "valid" : "try_refresh",
      );
      for (const wrong of [null, true, [], {}, ["a"], 1.5]) {
        if (wrong === null && isFlat && optional.includes(name)) continue;
        if (name === "userData" && JSON.stringify(wrong) === "{}") continue;
        if (name === "amr" && Array.isArray(wrong)) continue;
        const accessToken = sign(form, JSON.stringify({ ...body, [name]: wrong }));
        expect(verifier.verify({ accessToken }), `${name} = ${JSON.stringify(wrong)}`).toEqual(incomplete);
      }
    }
  });

  it.each([
    { amr: [1] },
    { amr: ["pwd", null] },
    { act: { sub: 1 } },
    { act: ["helper"] },
    { pver: -1 },
    { pver: "1" },
    { auth_time: 1.5 },
  ])("in pawl is told with %j", (wrong) => {
    const accessToken = sign("pawl", JSON.stringify({ ...bodyOf("pawl"), ...wrong }));
    expect(verifier.verify({ accessToken })).toEqual(incomplete);
  });

  it.each(["", "-1", "01", "1.5", "1e3", " 1", "1 ", "0x1", "9".repeat(17), "a1b2", "١"])(
    "has no sequence number %j",
    (text) => {
      for (const form of ["v1", "v5", "pawl"] as const)
        for (const name of ["refreshTokenHash1", "parentRefreshTokenHash1"])
          expect(
            verifier.verify({ accessToken: sign(form, JSON.stringify({ ...bodyOf(form), [name]: text })) }),
          ).toEqual(incomplete);
    },
  );

  it.each(["1v", "1v0", "v1", "1v01", "1v1v1", "1V1", "1v-1", "1v1.5", `1v${"9".repeat(17)}`, " 1v1", "01v1"])(
    "has no sequence number and version %j",
    (text) => {
      for (const form of ["v1", "v5", "pawl"] as const) {
        const body = { ...bodyOf(form), refreshTokenHash1: text };
        expect(verifier.verify({ accessToken: sign(form, JSON.stringify(body)) })).toEqual(incomplete);
      }
      const body = { ...bodyOf("v5"), refreshTokenHash1: "1v1", parentRefreshTokenHash1: "1v1" };
      expect(verifier.verify({ accessToken: sign("v5", JSON.stringify(body)) })).toEqual(incomplete);
    },
  );

  it("is not remembered", () => {
    const accessToken = sign("v5", "{}");
    for (let twice = 0; twice < 2; twice += 1) expect(verifier.verify({ accessToken })).toEqual(incomplete);
  });
});
