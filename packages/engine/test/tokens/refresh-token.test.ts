import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { type Millis, millis, type SessionId } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/random.js";
import {
  createRefreshTokenSeal,
  masterKeyIdOf,
  type RefreshTokenClaims,
  secretHash,
} from "../../src/tokens/refresh-token.js";
import { repeatableRandom } from "../repeatable-random.js";
import { masterKeys, SESSION_ID } from "../token-fixtures.js";

const seal = createRefreshTokenSeal(masterKeys(1), systemRandom);
const secret = Buffer.alloc(32, "secret");
const claims: RefreshTokenClaims = { id: SESSION_ID, seq: 5, iat: millis(1_900_000_000_123), antiCsrf: true, secret };
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const anyClaims = fc
  .record({
    id: fc.uuid().map((id) => id as SessionId),
    seq: fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32, 2 ** 48 - 1)),
    iat: fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((at) => at as Millis),
    antiCsrf: fc.boolean(),
    secret: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
    distance: fc.integer({ min: 0, max: 127 }),
  })
  .map(({ distance, ...sealed }) =>
    distance > 0 && distance <= sealed.seq ? { ...sealed, parent: sealed.seq - distance } : sealed,
  );

describe("a refresh token", () => {
  it("opens to exactly what was sealed, and is a short text that any cookie or header takes", () => {
    fc.assert(
      fc.property(anyClaims, (sealed) => {
        const token = seal.seal(sealed);
        expect(token).toMatch(/^pawl_rt_1\.[A-Za-z0-9_-]{142}$/);
        expect(seal.open(token)).toEqual(sealed);
      }),
    );
  });

  it("tells its parent as long as that is no more than 127 behind", () => {
    for (const [parent, told] of [
      [499, 499],
      [373, 373],
      [372, undefined],
      [500, undefined],
    ] as const)
      expect(seal.open(seal.seal({ ...claims, seq: 500, parent }))?.parent).toBe(told);
  });

  it("is another text each time, with another nonce", () => {
    const tokens = Array.from({ length: 500 }, () => Buffer.from(seal.seal(claims).slice(10), "base64url"));
    for (const [from, to] of [
      [17, 29],
      [29, 90],
    ] as const)
      expect(new Set(tokens.map((token) => token.toString("hex", from, to))).size).toBe(500);
  });

  it("shares its key with so many others and no more, and all of them open wherever the master key is", () => {
    const sealing = createRefreshTokenSeal(masterKeys(1), systemRandom, { tokensPerKey: 3 });
    const other = createRefreshTokenSeal(masterKeys(1), systemRandom);
    const sealed = Array.from({ length: 1500 }, (_, seq) => ({ ...claims, seq }));
    const tokens = sealed.map((each) => sealing.seal(each));
    const salts = tokens.map((token) => Buffer.from(token.slice(10), "base64url").toString("hex", 1, 17));
    expect(new Set(salts).size).toBe(500);
    for (const [at, salt] of salts.entries()) expect(salts.indexOf(salt)).toBe(at - (at % 3));
    // Twice, so that keys are met that were forgotten meanwhile.
    for (const seal of [other, sealing, other]) expect(tokens.map((token) => seal.open(token))).toEqual(sealed);
  });

  it("is the same text for the same random bytes: nothing else goes in", () => {
    const twice = [1, 2].map(() => createRefreshTokenSeal(masterKeys(1), repeatableRandom("r")).seal(claims));
    expect(twice[0]).toBe(twice[1]);
  });

  it("is built as written: a key by HMAC of its salt, AES-256-GCM, bound to prefix and key id", () => {
    const [master] = masterKeys(1);
    const id = Buffer.of(master?.id ?? 0);
    const prefix = "pawl_rt_1.";
    const bytes = Buffer.from(seal.seal(claims).slice(prefix.length), "base64url");
    const [salt, nonce] = [bytes.subarray(1, 17), bytes.subarray(17, 29)];

    const key = createHmac(
      "sha256",
      Buffer.from(hkdfSync("sha256", Buffer.alloc(32, 1), "", "pawl refresh token 1", 32)),
    );
    const cipher = createCipheriv("aes-256-gcm", key.update(salt).digest(), nonce);
    cipher.setAAD(Buffer.concat([Buffer.from(prefix), id]));
    const numbers = Buffer.alloc(13);
    numbers.writeUIntBE(claims.seq, 0, 6);
    numbers.writeUIntBE(claims.iat, 6, 6);
    numbers.writeUInt8(1, 12);
    const plain = Buffer.concat([Buffer.from(SESSION_ID.replaceAll("-", ""), "hex"), numbers, secret]);
    const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    expect(bytes).toEqual(Buffer.concat([id, salt, nonce, sealed]));
  });

  it("shows nothing of its secret, its session or its hash", () => {
    const bytes = Buffer.from(seal.seal(claims).slice(10), "base64url");
    expect(bytes.includes(secret.subarray(0, 6))).toBe(false);
    expect(bytes.includes(Buffer.from(SESSION_ID.replaceAll("-", ""), "hex"))).toBe(false);
  });

  it("opens with each of several master keys, and is sealed with the first", () => {
    const old = seal.seal(claims);
    const both = createRefreshTokenSeal(masterKeys(2, 1), systemRandom);
    expect(both.open(old)).toEqual(claims);
    expect(createRefreshTokenSeal(masterKeys(2), systemRandom).open(both.seal(claims))).toEqual(claims);
    expect(seal.open(both.seal(claims))).toBeUndefined();
  });

  it("cannot be moved from one master key to another by its key id", () => {
    const [first, second] = masterKeys(1, 2);
    const bytes = Buffer.from(seal.seal(claims).slice(10), "base64url");
    bytes[0] = second?.id ?? 0;
    expect(bytes[0]).not.toBe(first?.id);
    const both = createRefreshTokenSeal(masterKeys(1, 2), systemRandom);
    expect(both.open(`pawl_rt_1.${bytes.toString("base64url")}`)).toBeUndefined();
  });
});

describe("the master key that sealed a token", () => {
  it("is told by the token, also where nobody here has that key", () => {
    for (const byte of [1, 2, 200]) {
      const [master] = masterKeys(byte);
      const token = createRefreshTokenSeal(masterKeys(byte), systemRandom).seal(claims);
      expect(masterKeyIdOf(token)).toBe(master?.id);
    }
  });

  it("is told by nothing that has another form", () => {
    const token = seal.seal(claims);
    const moved = token.slice("pawl_rt_1.".length) + "pawl_rt_1.";
    for (const other of ["", "pawl_rt_1.", token.slice(0, -1), `${token}A`, token.replace("_1.", "_2."), moved])
      expect(masterKeyIdOf(other)).toBeUndefined();
  });
});

describe("a refresh token that is not ours does not open", () => {
  const token = seal.seal(claims);

  it("cut at every character, from either end, or longer", () => {
    for (let length = 0; length < token.length; length += 1) {
      expect(seal.open(token.slice(0, length))).toBeUndefined();
      expect(seal.open(token.slice(token.length - length))).toBeUndefined();
    }
    for (const tail of ["A", "=", "==", ".", " ", "\n", "\0", token]) {
      expect(seal.open(token + tail)).toBeUndefined();
      expect(seal.open(tail + token)).toBeUndefined();
    }
  });

  it("with any one character replaced by any other, also in the unused bits of the last", () => {
    for (let index = 0; index < token.length; index += 1) {
      const others =
        index === token.length - 1 ? ALPHABET : (ALPHABET[(ALPHABET.indexOf(token[index] ?? "") + 17) % 64] ?? "A");
      for (const other of others) {
        if (other === token[index]) continue;
        expect(seal.open(token.slice(0, index) + other + token.slice(index + 1))).toBeUndefined();
      }
    }
  });

  it("in another spelling of the same bytes", () => {
    const standard = token.slice(10).replaceAll("-", "+").replaceAll("_", "/");
    if (standard !== token.slice(10)) expect(seal.open(`pawl_rt_1.${standard}`)).toBeUndefined();
    expect(
      seal.open(token.replace(/.$/, (last) => String.fromCodePoint((last.codePointAt(0) ?? 0) + 0x100))),
    ).toBeUndefined();
    expect(seal.open(token.toUpperCase())).toBeUndefined();
    expect(seal.open(token.replace("pawl_rt_1.", "pawl_rt_2."))).toBeUndefined();
    expect(seal.open(token.replace("pawl_rt_1.", "pawl_rt_1,"))).toBeUndefined();
  });

  it("with random bytes behind the prefix and a right key id, whatever they are", () => {
    const id = masterKeys(1)[0]?.id ?? 0;
    for (let count = 0; count < 300; count += 1) {
      const bytes = Buffer.concat([Buffer.of(id), randomBytes(105)]);
      expect(seal.open(`pawl_rt_1.${bytes.toString("base64url")}`)).toBeUndefined();
    }
  });

  it("of another kind or none", () => {
    for (const text of [
      "",
      ".",
      "pawl_rt_1.",
      "a.b.c",
      "ada7bb35.V1",
      "x".repeat(152),
      `pawl_rt_1.${"A".repeat(142)}`,
      "\uD800".repeat(152),
    ])
      expect(seal.open(text)).toBeUndefined();
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => seal.open(text) === undefined));
  });

  it("of ten megabytes, at once", () => {
    const huge = `pawl_rt_1.${"A".repeat(10_000_000)}`;
    const times = Array.from({ length: 100 }, () => {
      const start = performance.now();
      expect(seal.open(huge)).toBeUndefined();
      return performance.now() - start;
    });
    // The fastest of them, so that a busy machine is not taken for a slow seal.
    expect(Math.min(...times)).toBeLessThan(0.1);
  });
});

describe("secretHash", () => {
  it("is the base64url SHA-256", () => {
    expect(secretHash(secret)).toBe(createHash("sha256").update(secret).digest("base64url"));
  });
});
