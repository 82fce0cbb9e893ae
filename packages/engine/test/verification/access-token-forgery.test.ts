import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueAccessToken } from "../../src/tokens/access-token.js";
import { createKeySet } from "../../src/keys/key-set.js";
import type { VerifyOutcome } from "../../src/session.js";
import { StandingClock } from "../standing-clock.js";
import { claimsAt, makeKey, makeVerifier, type TokenKey } from "../token-fixtures.js";

// Every test of this file is a published vulnerability or a rule of RFC 8725: a forger without a private key gets nothing accepted.

const clock = new StandingClock();
const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");
const keys = [rsa, ec];
const verifier = makeVerifier(clock, keys);
const verify = (accessToken: string): VerifyOutcome => verifier.verify({ accessToken });

const real = {
  v1: issueAccessToken(claimsAt(clock.now(), "v1"), rsa.signer).token,
  v5: issueAccessToken(claimsAt(clock.now(), "v5"), ec.signer).token,
  pawl: issueAccessToken(claimsAt(clock.now(), "pawl"), ec.signer).token,
};
const realRsaV5 = issueAccessToken(claimsAt(clock.now(), "v5"), rsa.signer).token;
const body = real.v5.split(".")[1] ?? "";
const headerOf = (key: TokenKey): object => ({
  alg: key.signer.algorithm,
  typ: "JWT",
  version: "5",
  kid: key.signer.kid,
});
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const withSignature = (signed: string, signature: Buffer): string => `${signed}.${signature.toString("base64url")}`;
const signedBy = (privateKey: KeyObject, header: object, payload = body): string => {
  const signed = `${encode(header)}.${payload}`;
  return withSignature(signed, sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }));
};

let connections = 0;
const connect = net.Socket.prototype.connect;
beforeAll(() => {
  net.Socket.prototype.connect = function count(this: net.Socket): net.Socket {
    connections += 1;
    return this;
  } as typeof connect;
  // It does count: otherwise that nothing connected would say nothing.
  net.connect(1).destroy();
  expect(connections).toBe(1);
  connections = 0;
});
afterAll(() => {
  net.Socket.prototype.connect = connect;
});

it("the real tokens are accepted, so that what follows is refused for its forgery", () => {
  for (const token of [...Object.values(real), realRsaV5]) expect(verify(token).kind).toBe("valid");
  for (const key of keys) expect(verify(signedBy(key.privateKey, headerOf(key))).kind).toBe("valid");
});

describe("no algorithm (CVE-2015-9235)", () => {
  const noAlgorithms: readonly unknown[] = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "",
    null,
    undefined,
    0,
    [],
    ["none"],
    ["ES256"],
    {},
  ];
  it.each(noAlgorithms.map((alg) => ({ alg })))("%j", ({ alg }) => {
    for (const key of keys) {
      const signed = `${encode({ ...headerOf(key), alg })}.${body}`;
      const [, , signature] = real.v5.split(".");
      for (const token of [`${signed}.`, `${signed}.${signature}`, `${signed}.AA`, signed])
        expect(verify(token).kind).toBe("try_refresh");
    }
  });
});

describe("the header choosing the algorithm (CVE-2022-23540, CVE-2023-48223, CVE-2026-22817, CVE-2026-22818)", () => {
  const secrets = keys.flatMap(({ publicKey, verification }) => {
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const der = publicKey.export({ type: "spki", format: "der" });
    const jwk = createKeySet([verification]).keys[0];
    const rsaOnly =
      publicKey.asymmetricKeyType === "rsa"
        ? [publicKey.export({ type: "pkcs1", format: "pem" }), publicKey.export({ type: "pkcs1", format: "der" })]
        : [];
    const point =
      jwk?.x === undefined
        ? []
        : [
            Buffer.from(jwk.x, "base64url"),
            Buffer.concat([Buffer.of(4), Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y ?? "", "base64url")]),
          ];
    return [
      pem,
      pem.trimEnd(),
      pem.replaceAll("\n", ""),
      pem.replace(/-----[^-]+-----/g, "").replaceAll("\n", ""),
      der,
      der.toString("base64"),
      der.toString("base64url"),
      der.toString("hex"),
      JSON.stringify(jwk),
      JSON.stringify(publicKey.export({ format: "jwk" })),
      JSON.stringify({ keys: [jwk] }),
      jwk?.n ?? jwk?.x ?? "",
      Buffer.from(jwk?.n ?? jwk?.x ?? "", "base64url"),
      ...rsaOnly,
      ...point,
    ];
  });
  secrets.push("", "\0", "secret");

  it.each([
    ["HS256", "sha256"],
    ["HS384", "sha384"],
    ["HS512", "sha512"],
    ["RS256", "sha256"],
    ["ES256", "sha256"],
  ])("%s with a public key in any form as the secret of an HMAC", (alg, digest) => {
    for (const key of keys)
      for (const secret of secrets) {
        const signed = `${encode({ ...headerOf(key), alg })}.${body}`;
        const token = withSignature(signed, createHmac(digest, secret).update(signed).digest());
        expect(verify(token).kind).toBe("try_refresh");
      }
  });

  it("an HMAC under the literal header of version 1", () => {
    const [header, payload] = real.v1.split(".");
    for (const secret of secrets) {
      const mac = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64");
      expect(verify(`${header}.${payload}.${mac}`).kind).toBe("try_refresh");
    }
  });

  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "dir"])(
    "%s for a key of another algorithm, though the key's owner signed it",
    (alg) => {
      for (const key of keys.filter((candidate) => candidate.signer.algorithm !== alg))
        expect(verify(signedBy(key.privateKey, { ...headerOf(key), alg }))).toMatchObject({
          why: "unsupported_header",
        });
    },
  );

  it("one key's signature under the other key's name", () => {
    expect(verify(signedBy(rsa.privateKey, headerOf(ec)))).toMatchObject({ why: "bad_signature" });
    expect(verify(signedBy(ec.privateKey, headerOf(rsa)))).toMatchObject({ why: "bad_signature" });
  });
});

describe("a key that comes with the token (CVE-2018-0114)", () => {
  const forger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...forger.publicKey.export({ format: "jwk" }), kid: "d-1", alg: "ES256", use: "sig" };
  const certificate = forger.publicKey.export({ type: "spki", format: "der" }).toString("base64");

  it.each([
    ["jwk", { jwk }],
    ["jku", { jku: "http://127.0.0.1:1/jwks.json" }],
    ["x5u", { x5u: "http://127.0.0.1:1/key.pem" }],
    ["x5c", { x5c: [certificate] }],
    ["kid as a key", { kid: jwk }],
    ["kid as a URL", { kid: "http://127.0.0.1:1/jwks.json" }],
    ["all", { jwk, jku: "http://127.0.0.1:1/", x5u: "http://127.0.0.1:1/", x5c: [certificate] }],
  ])("%s", (_, added) => {
    for (const kid of ["d-1", "forged"]) {
      const token = signedBy(forger.privateKey, { ...headerOf(ec), kid, ...added });
      expect(verify(token).kind).toBe("try_refresh");
      expect(verify(token)).not.toMatchObject({ why: "expired" });
    }
    expect(connections).toBe(0);
  });
});

describe("key names", () => {
  it.each([
    "../../../../dev/null",
    "/dev/null",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "' OR '1'='1",
    "x' UNION SELECT 'key' --",
    "d-1\0",
    "d-1 ",
    " d-1",
    "D-1",
    "d-01",
    "$(id)",
    "`id`",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "",
    "0",
    "\uD800",
    "x".repeat(10_000),
  ])("%j is no key of ours", (kid) => {
    expect(verify(signedBy(ec.privateKey, { ...headerOf(ec), kid }))).toMatchObject({ why: "unknown_key" });
  });

  const nameless: readonly unknown[] = [null, undefined, 1, true, ["d-1"], { kid: "d-1" }, { toString: "d-1" }];
  it.each(nameless.map((kid) => ({ kid })))("%j names none at all", ({ kid }) => {
    expect(verify(signedBy(ec.privateKey, { ...headerOf(ec), kid }))).toMatchObject({ why: "unsupported_header" });
  });

  it("a member __proto__ of the header stands for nothing", () => {
    const header = `{"__proto__":${JSON.stringify(headerOf(ec))}}`;
    const signed = `${Buffer.from(header).toString("base64url")}.${body}`;
    const signature = sign("sha256", Buffer.from(signed), { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
    expect(verify(withSignature(signed, signature))).toMatchObject({ why: "unsupported_header" });
  });
});

describe("headers that we would not write, though well signed", () => {
  it.each([
    ["crit (CVE-2026-35042)", { crit: ["exp"] }],
    ["an unknown crit", { crit: ["urn:unknown"], "urn:unknown": true }],
    ["an empty crit", { crit: [] }],
    ["crit null", { crit: null }],
    ["crit b64", { crit: ["b64"], b64: false }],
    ["no typ", { typ: undefined }],
    ["another typ", { typ: "at+jwt" }],
    ["typ in lower case", { typ: "jwt" }],
    ["typ as a list", { typ: ["JWT"] }],
    ["no version, as tokens that are no sessions have", { version: undefined }],
    ["version 1 outside its literal header", { version: "1" }],
    ["version 2 outside its literal header", { version: "2" }],
    ["version 6", { version: "6" }],
    ["version as a number", { version: 5 }],
    ["version as a list", { version: ["5"] }],
    ["version __proto__", { version: "__proto__" }],
  ])("%s", (_, changed) => {
    for (const key of keys)
      expect(verify(signedBy(key.privateKey, { ...headerOf(key), ...changed }))).toMatchObject({
        why: "unsupported_header",
      });
  });

  it("version 1 is its one literal header only, and the other header names no version 1 body", () => {
    const [, payload] = real.v1.split(".");
    const spelled = Buffer.from('{"typ":"JWT","alg":"RS256","version":"1"}').toString("base64");
    const signed = `${spelled}.${payload}`;
    const signature = sign("sha256", Buffer.from(signed), rsa.privateKey).toString("base64");
    expect(verify(`${signed}.${signature}`)).toMatchObject({ why: "unsupported_header" });
  });

  it("version 1 is signed with RSA only", () => {
    const signed = real.v1.slice(0, real.v1.lastIndexOf("."));
    const signature = sign("sha256", Buffer.from(signed), { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
    expect(verify(`${signed}.${signature.toString("base64")}`).kind).toBe("try_refresh");
  });

  it.each(["", "null", "1", "[]", '"x"', "{", "\0"])("a header that is %j and no object", (text) => {
    expect(verify(`${Buffer.from(text).toString("base64url")}.${body}.AA`)).toMatchObject({
      why: "unsupported_header",
    });
  });
});

describe("signatures", () => {
  const signed = real.v5.slice(0, real.v5.lastIndexOf("."));
  const good = Buffer.from(real.v5.slice(real.v5.lastIndexOf(".") + 1), "base64url");
  const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1)]);
  const [r, s] = [good.subarray(0, 32), good.subarray(32)];

  it("of zeros, ones and the group's order are refused (CVE-2022-21449)", () => {
    const numbers = [zero, one, order, Buffer.alloc(32, 0xff)];
    for (const first of [...numbers, r])
      for (const second of [...numbers, s])
        if (first !== r || second !== s)
          expect(verify(withSignature(signed, Buffer.concat([first, second])))).toMatchObject({ why: "bad_signature" });
  });

  it("of any other length are refused", () => {
    for (const length of [0, 1, 31, 32, 48, 63, 65, 66, 72, 96, 128, 132, 256, 512])
      for (const filler of [zero, good, Buffer.alloc(1, 0xff)])
        expect(verify(withSignature(signed, Buffer.alloc(length, filler)))).toMatchObject({ why: "bad_signature" });
    for (const padded of [
      [zero, r, zero, s],
      [Buffer.of(0), r, Buffer.of(0), s],
      [r, s, zero],
    ])
      expect(verify(withSignature(signed, Buffer.concat(padded)))).toMatchObject({ why: "bad_signature" });
  });

  it("in DER are refused", () => {
    const der = sign("sha256", Buffer.from(signed), { key: ec.privateKey, dsaEncoding: "der" });
    expect(verify(withSignature(signed, der))).toMatchObject({ why: "bad_signature" });
  });

  it("with another digest or padding are refused", () => {
    const text = realRsaV5.slice(0, realRsaV5.lastIndexOf("."));
    for (const digest of ["sha1", "sha384", "sha512"])
      expect(verify(withSignature(text, sign(digest, Buffer.from(text), rsa.privateKey)))).toMatchObject({
        why: "bad_signature",
      });
    const pss = sign("sha256", Buffer.from(text), { key: rsa.privateKey, padding: 6, saltLength: 32 });
    expect(verify(withSignature(text, pss))).toMatchObject({ why: "bad_signature" });
  });

  it("in another spelling of the same bytes are refused: one token is one text", () => {
    for (const token of [...Object.values(real), realRsaV5]) {
      const at = token.lastIndexOf(".") + 1;
      const signature = token.slice(at);
      const spellings = [
        `${signature}=`,
        `${signature}==`,
        `${signature}\n`,
        ` ${signature}`,
        `${signature.slice(0, 20)} ${signature.slice(20)}`,
        `${signature.slice(0, 20)}!${signature.slice(20)}`,
        signature.replaceAll("=", ""),
        signature.replaceAll("-", "+").replaceAll("_", "/"),
        signature.replaceAll("+", "-").replaceAll("/", "_"),
        ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/"
          .split("")
          .map((last) => signature.replace(/.(=*)$/, `${last}$1`)),
      ].filter((spelling) => spelling !== signature);
      for (const spelling of spellings) expect(verify(token.slice(0, at) + spelling).kind).toBe("try_refresh");
    }
  });

  it("hold for the very text: no character passes for another by its low byte", () => {
    for (const token of [...Object.values(real), realRsaV5])
      for (let index = 0; index < token.length; index += 1) {
        const disguised = String.fromCodePoint((token.codePointAt(index) ?? 0) + 0x100);
        expect(verify(token.slice(0, index) + disguised + token.slice(index + 1)).kind).toBe("try_refresh");
      }
  });
});

describe("damaged tokens", () => {
  it("cut at every character, from either end, are refused", () => {
    for (const token of [...Object.values(real), realRsaV5])
      for (let length = 0; length < token.length; length += 1) {
        expect(verify(token.slice(0, length)).kind).toBe("try_refresh");
        expect(verify(token.slice(token.length - length)).kind).toBe("try_refresh");
      }
  });

  it("with any one character changed are refused", () => {
    for (const token of [...Object.values(real), realRsaV5])
      for (let index = 0; index < token.length; index += 1) {
        const other = token[index] === "A" ? "B" : "A";
        expect(verify(token.slice(0, index) + other + token.slice(index + 1)).kind).toBe("try_refresh");
      }
  });

  it("that ended like a good one are not taken for it", () => {
    expect(verify(real.v5).kind).toBe("valid");
    const [, , signature] = real.v5.split(".");
    for (const token of [
      `x${real.v5}`,
      `${encode(headerOf(ec))}.${encode({ sub: "root" })}.${signature}`,
      `..${signature}`,
      real.v5.slice(-32),
    ])
      expect(verify(token).kind).toBe("try_refresh");
  });

  it.each([
    ["empty", ""],
    ["one dot", "."],
    ["two dots", ".."],
    ["three dots", "..."],
    ["two parts", "a.b"],
    ["four parts", `${real.v5}.x`],
    ["five parts, as an encrypted token has", "a.b.c.d.e"],
    ["blanks", "   "],
    ["NUL", "\0.\0.\0"],
    ["a lone surrogate", "\uD800.\uD800.\uD800"],
    ["Bearer before it", `Bearer ${real.v5}`],
    ["an array that was made a text", `${real.v5},${real.v5}`],
  ])("%s", (_, token) => {
    expect(verify(token).kind).toBe("try_refresh");
  });

  it.each([
    ["a megabyte of dots (CVE-2025-30204, CVE-2025-27144)", ".".repeat(1_000_000)],
    ["a megabyte of one character", "A".repeat(1_000_000)],
    ["a megabyte of payload", `${encode(headerOf(ec))}.${"A".repeat(1_000_000)}.AA`],
    ["a megabyte of signature", `${real.v5}${"A".repeat(1_000_000)}`],
    ["dots up to the limit", ".".repeat(65_536)],
  ])("%s is refused in less than a millisecond", (_, token) => {
    const times = Array.from({ length: 21 }, () => {
      const start = performance.now();
      expect(verify(token).kind).toBe("try_refresh");
      return performance.now() - start;
    });
    expect(times.toSorted((left, right) => left - right)[10]).toBeLessThan(1);
  });

  it("up to the limit of 65,536 characters cost no more than a few signature checks", () => {
    for (const length of [65_535, 65_536, 65_537]) {
      const head = `${encode(headerOf(ec))}.${body}.`;
      expect(verify(head + "A".repeat(length - head.length)).kind).toBe("try_refresh");
    }
  });
});

it("no token made anything connect anywhere", () => {
  expect(connections).toBe(0);
});
