import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { createEngine, type JsonObject, type SessionEngine, type StepUpInput } from "../../src/index.js";
import {
  HOUR,
  MASTER_KEYS,
  memoryStage,
  MINUTE,
  onEveryStore,
  refresh,
  refreshed,
  type Stage,
  USER,
} from "../engines.js";
import { regenerated } from "../regenerated.js";
import { claimsAt, makeKey, makeVerifier } from "../token-fixtures.js";
import { issueAccessToken } from "../../src/tokens/access-token.js";

const issuer = "https://sessions.example.com";
const audience = ["https://api.example.com"];
const RULE = { issuer, audience };
const PAWL = { userId: USER, form: "pawl" } as const;

const partsOf = (token: string): readonly JsonObject[] =>
  token.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()) as JsonObject);
const idOf = (token: string): unknown => partsOf(token)[1]?.["jti"];
const verified = async (engine: SessionEngine, accessToken: string) => {
  const outcome = await engine.verifyAccessToken({ accessToken });
  return outcome.kind === "try_refresh" ? outcome.why : outcome.kind;
};
const refreshPawl = async (engine: SessionEngine, refreshToken: string) =>
  refreshed(await engine.refreshSession({ refreshToken, form: "pawl" }));

describe.each(["ES256", "RS256"] as const)("an access token of RFC 9068, signed with %s", (signingAlgorithm) => {
  it("has the header and the claims that section 2 asks for, and any verifier's signature", async () => {
    const stage = memoryStage();
    const engine = await stage.engine({ ...RULE, signingAlgorithm });
    const { session, accessToken } = await engine.createSession({ ...PAWL, payload: { scope: "read" } });
    const [header, body] = partsOf(accessToken.token);
    const { keys } = engine.keySet(signingAlgorithm);
    expect(header).toEqual({ typ: "at+jwt", alg: signingAlgorithm, kid: keys[0]?.kid, version: "pawl" });
    expect(body).toMatchObject({
      iss: issuer,
      aud: audience[0],
      sub: USER,
      client_id: audience[0],
      sid: session.handle,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      iat: stage.clock.now() / 1000,
      exp: (stage.clock.now() + HOUR) / 1000,
      auth_time: stage.clock.now() / 1000,
      scope: "read",
    });
    const [head, payload, signature = ""] = accessToken.token.split(".");
    const publicKey = createPublicKey({ key: keys[0] as unknown as JsonWebKey, format: "jwk" });
    const key = signingAlgorithm === "ES256" ? ({ key: publicKey, dsaEncoding: "ieee-p1363" } as const) : publicKey;
    expect(verify("sha256", Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url"))).toBe(true);
  });
});

it("has an id of its own each time it is made", async () => {
  const stage = memoryStage();
  const engine = await stage.engine({ issuer, audience: ["a", "b"] });
  const login = await engine.createSession(PAWL);
  const auth: StepUpInput = { methods: ["otp"] };
  const made = [login.accessToken.token, (await refreshPawl(engine, login.refreshToken.token)).accessToken.token];
  made.push((await refreshPawl(engine, login.refreshToken.token)).accessToken.token);
  made.push(regenerated(await engine.regenerateAccessToken(made[0]!, { role: "x" })).accessToken!.token);
  made.push(regenerated(await engine.stepUp(made.at(-1)!, auth)).accessToken!.token);
  expect(new Set(made.map(idOf)).size).toBe(made.length);
  expect(partsOf(made.at(-1)!)[1]).toMatchObject({ aud: ["a", "b"], client_id: "a", amr: ["otp"] });
  expect(await verified(engine, made.at(-1)!)).toBe("valid");
});

it("is of the form pawl alone: the forms of other SDKs are written, and accepted, as their protocols describe", async () => {
  const stage = memoryStage();
  const [plain, engine] = [await stage.engine(), await stage.engine(RULE)];
  for (const form of ["v1", "v2", "v3", "v4", "v5"] as const) {
    const one = await engine.createSession({ userId: USER, form });
    const other = await plain.createSession({ userId: USER, form });
    const [[header, body], [otherHeader, otherBody]] = [one, other].map(({ accessToken }) =>
      partsOf(accessToken.token),
    ) as [JsonObject[], JsonObject[]];
    expect([form, header, Object.keys(body!)]).toEqual([form, otherHeader, Object.keys(otherBody!)]);
    expect(await verified(engine, other.accessToken.token)).toBe("valid");
  }
});

describe("issuer and audience are checked exactly when they are configured", () => {
  const rules = {
    none: {},
    both: RULE,
    "another issuer": { ...RULE, issuer: "https://other.example.com" },
    "another audience": { ...RULE, audience: ["https://other.example.com"] },
    "an issuer that begins alike": { ...RULE, issuer: `${issuer}/` },
    "one more audience": { ...RULE, audience: ["https://other.example.com", ...audience] },
  };
  type Rule = keyof typeof rules;
  const accepted: Readonly<Record<Rule, readonly Rule[]>> = {
    none: Object.keys(rules) as Rule[],
    both: ["both", "one more audience"],
    "another issuer": ["another issuer"],
    "another audience": ["another audience", "one more audience"],
    "an issuer that begins alike": ["an issuer that begins alike"],
    "one more audience": ["both", "another audience", "one more audience"],
  };
  it.each(Object.keys(rules) as Rule[])("%s", async (verifier) => {
    const stage = memoryStage();
    const engine = await stage.engine(rules[verifier]);
    for (const maker of Object.keys(rules) as Rule[]) {
      const { accessToken } = await (await stage.engine(rules[maker])).createSession(PAWL);
      const expected = accepted[verifier].includes(maker) ? "valid" : "wrong_audience";
      expect([maker, await verified(engine, accessToken.token)]).toEqual([maker, expected]);
      // A second time, from the memory of verified tokens.
      expect([maker, await verified(engine, accessToken.token)]).toEqual([maker, expected]);
    }
  });

  it("also in tokens well signed that lack one of the claims, or have it in another form", () => {
    const stage = memoryStage();
    const key = makeKey("ES256", "d-1");
    const verifier = makeVerifier(stage.clock, [key]);
    const oauth = { issuer, audience, clientId: "a", tokenId: "1" };
    const of = (changed: object) =>
      verifier.verify({
        accessToken: issueAccessToken(
          claimsAt(stage.clock.now(), "pawl", { oauth: { ...oauth, ...changed } }),
          key.signer,
        ).token,
      });
    expect(of({})).toMatchObject({ kind: "valid", claims: { oauth, payload: { role: "admin" } } });
    for (const changed of [
      { issuer: undefined },
      { issuer: 1 },
      { audience: [undefined] },
      { audience: [1, "a"] },
      { audience: [{}] },
      { clientId: undefined },
      { clientId: null },
      { tokenId: undefined },
      { tokenId: 7 },
    ])
      expect([changed, of(changed)]).toMatchObject([changed, { kind: "try_refresh", why: "incomplete" }]);
  });
});

onEveryStore("switching issuer and audience on, over, and off", (open) => {
  /** A user who comes by every 20 minutes, at a node with one policy after the other. */
  const visits = async (stage: Stage, policies: readonly object[]) => {
    const [first = {}, ...others] = policies;
    let held = await (await stage.engine(first)).createSession(PAWL);
    const seen: string[] = [];
    for (const policy of others) {
      stage.clock.advance(20 * MINUTE);
      const engine = await stage.engine(policy);
      const outcome = await verified(engine, held.accessToken.token);
      seen.push(outcome);
      if (outcome !== "valid") held = await refreshPawl(engine, held.refreshToken.token);
      expect(await verified(engine, held.accessToken.token)).toBe("valid");
    }
    return seen;
  };

  it("logs nobody out: older tokens are refreshed, once", async () => {
    const other = { issuer, audience: ["https://other.example.com"] };
    expect(await visits(await open(), [{}, RULE, RULE, other, other, {}])).toEqual([
      "wrong_audience",
      "valid",
      "wrong_audience",
      "valid",
      "valid",
    ]);
  });

  it("node by node: a user who meets both kinds within the reuse window is not taken for a thief", async () => {
    const stage = await open();
    const [before, after] = [await stage.engine(), await stage.engine(RULE)];
    let held = await before.createSession(PAWL);
    for (let round = 0; round < 20; round += 1) {
      stage.clock.advance(MINUTE / 6);
      const engine = round % 2 === 0 ? after : before;
      if ((await verified(engine, held.accessToken.token)) !== "valid")
        held = await refreshPawl(engine, held.refreshToken.token);
    }
    expect(await verified(after, (await refreshPawl(after, held.refreshToken.token)).accessToken.token)).toBe("valid");
  });
});

it("a token that is not for us still changes its own session, which gives one that is", async () => {
  const stage = memoryStage();
  const [before, after] = [await stage.engine(), await stage.engine(RULE)];
  const { accessToken } = await before.createSession(PAWL);
  const renewed = regenerated(await after.regenerateAccessToken(accessToken.token)).accessToken!;
  expect(await verified(after, renewed.token)).toBe("valid");
});

describe("a policy", () => {
  it.each([
    [{ issuer }, /given together/],
    [{ audience }, /given together/],
    [{ issuer, audience: [] }, /one API at least/],
    [{ issuer, audience: [""] }, /one API at least/],
    ...["x", "http://a.example", "https://a/?q", "https://a/#f", "https://u@a/", "https://a b/", "javascript:1"].map(
      (url) => [{ issuer: url, audience }, /issuer must be an https URL/] as const,
    ),
  ] as const)("%j is refused", async (policy, message) => {
    const { storage } = memoryStage();
    await expect(createEngine({ storage, masterKeys: MASTER_KEYS, policy })).rejects.toThrow(message);
  });

  it.each([
    "https://a",
    "https://a/",
    "https://a.example:8443/pawl/eu",
    "http://localhost:3567",
    "http://127.0.0.1/x",
    "http://[::1]:1",
  ])("%s is an issuer", async (url) => {
    const engine = await memoryStage().engine({ issuer: url, audience, accessTokenValidity: millis(HOUR) });
    const { accessToken } = await engine.createSession(PAWL);
    expect(partsOf(accessToken.token)[1]?.["iss"]).toBe(url);
    await refresh(engine, await engine.createSession(PAWL));
  });
});
