import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { JsonObject, JwtInput, SessionEngine } from "../../src/index.js";
import { memoryStage } from "../engines.js";

const input: JwtInput = {
  payload: { sub: "user-1", role: "x", iat: 1, exp: 2 },
  issuer: "https://api.example.com",
  validity: 100,
  algorithm: "RS256",
  keyKind: "static",
};

const partsOf = (jwt: string): readonly JsonObject[] =>
  jwt.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as JsonObject);

const verifies = (engine: SessionEngine, jwt: string): boolean => {
  const at = jwt.lastIndexOf(".");
  const jwk = engine.keySet().keys.find(({ kid }) => kid === partsOf(jwt)[0]?.["kid"]);
  const key = createPublicKey({ key: { ...jwk } as JsonWebKey, format: "jwk" });
  const signature = Buffer.from(jwt.slice(at + 1), "base64url");
  return verify("sha256", Buffer.from(jwt.slice(0, at)), { key, dsaEncoding: "ieee-p1363" }, signature);
};

describe("a JWT of an application", () => {
  it.each([
    ["RS256", "static", /^s-/],
    ["RS256", "dynamic", /^d-\d+$/],
    ["ES256", "static", /^s-/],
  ] as const)("is signed with %s and a %s key, and says when", async (algorithm, keyKind, kid) => {
    const stage = memoryStage();
    const engine = await stage.engine();
    const jwt = await engine.issueJwt({ ...input, algorithm, keyKind });
    const [header, payload] = partsOf(jwt);
    expect(header).toEqual({ alg: algorithm, typ: "JWT", kid: expect.stringMatching(kid) as string });
    const iat = stage.clock.now() / 1000;
    expect(payload).toEqual({ iss: input.issuer, sub: "user-1", role: "x", iat, exp: iat + 100 });
    expect(verifies(engine, jwt)).toBe(true);
  });

  it("keeps an issuer of its own", async () => {
    const engine = await memoryStage().engine();
    const jwt = await engine.issueJwt({ ...input, payload: { iss: "mine" } });
    expect(partsOf(jwt)[1]).toMatchObject({ iss: "mine" });
  });

  it("is no session: not for our verifier, and none may claim to be one", async () => {
    const engine = await memoryStage().engine();
    for (const claim of ["sessionHandle", "refreshTokenHash1", "rsub"])
      await expect(engine.issueJwt({ ...input, payload: { [claim]: "x" } })).rejects.toMatchObject({
        code: "protected_claim",
      });
    const accessToken = await engine.issueJwt(input);
    expect(await engine.verifyAccessToken({ accessToken })).toMatchObject({ why: "unsupported_header" });
    expect(await engine.confirmAccessToken({ accessToken })).toMatchObject({ why: "unsupported_header" });
    expect(await engine.regenerateAccessToken(accessToken)).toMatchObject({ why: "invalid_token" });
  });

  it("has a payload within bounds", async () => {
    const engine = await memoryStage().engine();
    const payload = { text: "x".repeat(40_000) };
    await expect(engine.issueJwt({ ...input, payload })).rejects.toMatchObject({ code: "payload_too_large" });
    await expect(engine.issueJwt({ ...input, payload: [] as never })).rejects.toMatchObject({ code: "invalid_input" });
  });
});
