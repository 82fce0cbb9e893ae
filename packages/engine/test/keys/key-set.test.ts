import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createKeySet, type KeySet, verificationKeysFromJwks } from "../../src/keys/key-set.js";
import { makeKey } from "../token-fixtures.js";

const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");
const keySet = createKeySet([ec.verification, rsa.verification]);
const [ecJwk, rsaJwk] = keySet.keys;
const read = (...keys: readonly unknown[]): readonly string[] =>
  verificationKeysFromJwks({ keys } as KeySet).map((key) => key.kid);

describe("a key set", () => {
  it("holds the public numbers of each key and nothing private", () => {
    expect(Object.keys(ecJwk ?? {}).toSorted()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    expect(Object.keys(rsaJwk ?? {}).toSorted()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    expect(ecJwk).toMatchObject({ kid: "d-1", alg: "ES256", use: "sig", kty: "EC", crv: "P-256" });
    expect(rsaJwk).toMatchObject({ kid: "s-rsa", alg: "RS256", use: "sig", kty: "RSA", e: "AQAB" });
  });

  it("is narrowed to one algorithm on demand", () => {
    expect(createKeySet([ec.verification, rsa.verification], "RS256").keys.map((key) => key.kid)).toEqual(["s-rsa"]);
    expect(createKeySet([ec.verification], "RS256")).toEqual({ keys: [] });
  });

  it("comes back as the keys it was made of", () => {
    const keys = verificationKeysFromJwks(JSON.parse(JSON.stringify(keySet)) as KeySet);
    expect(keys.map(({ kid, algorithm, kind }) => ({ kid, algorithm, kind }))).toEqual([
      { kid: "d-1", algorithm: "ES256", kind: "dynamic" },
      { kid: "s-rsa", algorithm: "RS256", kind: "static" },
    ]);
    expect(keys[0]?.publicKey.equals(ec.publicKey)).toBe(true);
    expect(keys[1]?.publicKey.equals(rsa.publicKey)).toBe(true);
  });
});

describe("of a fetched key set is passed over", () => {
  const { alg: _alg, ...withoutAlgorithm } = rsaJwk ?? { alg: "" };
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" });

  it.each([
    ["a secret", { kty: "oct", kid: "x", k: "AAAA", alg: "HS256" }],
    ["RSA of 1024 bits", { ...small, kid: "x", alg: "RS256" }],
    ["another curve", { ...curve, kid: "x", alg: "ES384" }],
    ["another curve that names no algorithm", { ...curve, kid: "x" }],
    ["another curve under our name", { ...curve, kid: "x", alg: "ES256", crv: "P-256" }],
    ["an RSA key for ES256", { ...rsaJwk, kid: "x", alg: "ES256" }],
    ["an RSA key for RSA-PSS", { ...rsaJwk, kid: "x", alg: "PS256" }],
    ["an EC key for RS256", { ...ecJwk, kid: "x", alg: "RS256" }],
    ["an EC key for HS256", { ...ecJwk, kid: "x", alg: "HS256" }],
    ["a key for encryption", { ...rsaJwk, kid: "x", use: "enc" }],
    ["no kid", { ...rsaJwk, kid: undefined }],
    ["a kid that is no text", { ...rsaJwk, kid: 1 }],
    ["no numbers", { kty: "RSA", kid: "x", alg: "RS256" }],
    ["a point off the curve", { ...ecJwk, kid: "x", x: ecJwk?.y }],
    ["null", null],
    ["a text", "x"],
    ["a list", []],
  ])("%s", (_, jwk) => {
    expect(read(jwk, rsaJwk)).toEqual(["s-rsa"]);
  });

  it("a second key of one name", () => {
    const keys = verificationKeysFromJwks({ keys: [rsaJwk, { ...ecJwk, kid: "s-rsa" }] } as KeySet);
    expect(keys.map((key) => key.algorithm)).toEqual(["RS256"]);
  });

  it("nothing for the want of alg, which is known by the kind of key", () => {
    expect(read(withoutAlgorithm)).toEqual(["s-rsa"]);
  });

  it.each([undefined, null, {}, { keys: null }, { keys: {} }, { keys: "x" }, []])("all of %j", (set) => {
    expect(verificationKeysFromJwks(set as unknown as KeySet)).toEqual([]);
  });
});
