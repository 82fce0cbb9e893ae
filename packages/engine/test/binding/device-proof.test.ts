import { expect, it } from "vitest";
import { challengeSigned, keyRegistered } from "../../src/binding/device-proof.js";
import { thumbprintOf } from "../../src/binding/device-key.js";
import { Device } from "./device.js";

const CHALLENGE = "the-challenge";

const keyOf = (device: Device) => {
  const registered = keyRegistered(device.registration(CHALLENGE));
  if (registered === undefined) throw new Error("the key is refused");
  return registered.key;
};

it("reads key and challenge of a registration, and the challenge of a proof", () => {
  for (const device of [new Device(), new Device("RS256"), new Device("RS256", 3072)]) {
    const { challenge, key } = keyRegistered(device.registration(CHALLENGE, { claims: { authorization: "a" } })) ?? {};
    expect(challenge).toBe(CHALLENGE);
    expect(key?.jwk).toEqual(device.jwk);
    expect(challengeSigned(device.proof(CHALLENGE), keyOf(device))).toBe(CHALLENGE);
  }
});

it("computes the thumbprint of the example in RFC 7638 section 3.1", () => {
  const n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
    "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn" +
    "1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  expect(thumbprintOf({ kty: "RSA", n, e: "AQAB" })).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
});

const ec = new Device();
const rsa = new Device("RS256");
const jwk = ec.jwk as { readonly x: string; readonly y: string };
/** Another point's second coordinate. */
const { y } = new Device().jwk as { readonly y: string };
const withBits = (text: string): string => text.slice(0, -1) + (text.endsWith("A") ? "B" : "A");

it.each<readonly [string, string]>([
  ["another type", ec.registration(CHALLENGE, { header: { typ: "JWT" } })],
  ["another case of the type", ec.registration(CHALLENGE, { header: { typ: "DBSC+JWT" } })],
  ["no type", ec.registration(CHALLENGE, { header: { typ: undefined } })],
  ["no algorithm", ec.registration(CHALLENGE, { header: { alg: "none" } })],
  ["a symmetric algorithm", ec.registration(CHALLENGE, { header: { alg: "HS256" } })],
  ["an algorithm that is no text", ec.registration(CHALLENGE, { header: { alg: ["ES256"] } })],
  ["the algorithm of another kind of key", ec.registration(CHALLENGE, { header: { alg: "RS256" } })],
  ["a key of another kind", ec.registration(CHALLENGE, { header: { jwk: rsa.jwk } })],
  ["another key than the one that signed", ec.registration(CHALLENGE, { header: { jwk: new Device().jwk } })],
  ["a point that is not on the curve", ec.registration(CHALLENGE, { header: { jwk: { ...ec.jwk, y } } })],
  ["a coordinate too long", ec.registration(CHALLENGE, { header: { jwk: { ...ec.jwk, x: `AAAA${jwk.x}` } } })],
  [
    "a coordinate spelled otherwise",
    ec.registration(CHALLENGE, { header: { jwk: { ...ec.jwk, x: withBits(jwk.x) } } }),
  ],
  ["another curve", ec.registration(CHALLENGE, { header: { jwk: { ...ec.jwk, crv: "secp256k1" } } })],
  ["a private key", ec.registration(CHALLENGE, { header: { jwk: ec.privateKey.export({ format: "jwk" }) } })],
  ["an RSA key of 1024 bits", new Device("RS256", 1024).registration(CHALLENGE)],
  ["another exponent", rsa.registration(CHALLENGE, { header: { jwk: { ...rsa.jwk, e: "Aw" } } })],
  ["no key", ec.proof(CHALLENGE)],
  ["a key that is none", ec.registration(CHALLENGE, { header: { jwk: "key" } })],
  ["a critical header", ec.registration(CHALLENGE, { header: { crit: ["b64"], b64: false } })],
  ["no challenge", ec.registration(CHALLENGE, { claims: { jti: undefined } })],
  ["a challenge that is no text", ec.registration(CHALLENGE, { claims: { jti: 1 } })],
  ["more than 4 kB", ec.registration("c".repeat(4000))],
  ["a megabyte", ec.registration("c".repeat(1_000_000))],
  ["another signature", `${ec.registration(CHALLENGE).slice(0, -10)}AAAAAAAAAA`],
  ["no signature", ec.registration(CHALLENGE).replace(/[^.]*$/, "")],
  ["two parts", ec.registration(CHALLENGE).replace(/\.[^.]*$/, "")],
  ["four parts", `${ec.registration(CHALLENGE)}.AAAA`],
  ["nothing", ""],
])("refuses a registration with %s", (_what, proof) => {
  expect(keyRegistered(proof)).toBeUndefined();
});

it.each<readonly [string, string | undefined]>([
  ["another type", ec.proof(CHALLENGE, { header: { typ: "JWT" } })],
  ["no algorithm", ec.proof(CHALLENGE, { header: { alg: "none" } })],
  ["another algorithm", ec.proof(CHALLENGE, { header: { alg: "RS256" } })],
  ["another key", new Device().proof(CHALLENGE)],
  ["a key of another kind", rsa.proof(CHALLENGE)],
  ["its key along with it", ec.registration(CHALLENGE)],
  ["a critical header", ec.proof(CHALLENGE, { header: { crit: [] } })],
  ["more than 4 kB", ec.proof("c".repeat(4000))],
  ["nothing", ""],
])("takes no proof with %s", (_what, proof) => {
  expect(challengeSigned(proof, keyOf(ec))).toBeUndefined();
});
