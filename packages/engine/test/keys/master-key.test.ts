import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync } from "node:crypto";
import { inspect } from "node:util";
import { MemoryStorage } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EngineError } from "../../src/errors.js";
import { claimMasterKeys } from "../../src/keys/master-key-facts.js";
import {
  deriveKey,
  keyCheck,
  keyCheckMatches,
  type MasterKey,
  openPrivateKey,
  parseMasterKeys,
  sealPrivateKey,
} from "../../src/keys/master-key.js";
import { systemRandom } from "../../src/random.js";
import { masterKeys, masterKeyText } from "../token-fixtures.js";

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return (error as EngineError).code;
  }
  return "nothing thrown";
};

const keyBytes = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

/** Two keys whose ids happen to be equal, found by search. */
const clashingKeys = (): readonly [string, string] => {
  const seen = new Map<number, string>();
  for (let byte = 0; ; byte += 1) {
    const text = Buffer.alloc(32, `key ${byte}`).toString("base64");
    const id = parseMasterKeys(text)[0]?.id ?? -1;
    const other = seen.get(id);
    if (other !== undefined) return [other, text];
    seen.set(id, text);
  }
};

describe("parseMasterKeys", () => {
  it("reads what openssl rand -base64 32 writes, with blanks, commas and line ends around", () => {
    fc.assert(
      fc.property(keyBytes, (bytes) => {
        const [key] = parseMasterKeys(` ${bytes.toString("base64")}\n`);
        expect(key?.bytes.equals(bytes)).toBe(true);
        expect(key?.id).toBeGreaterThanOrEqual(0);
        expect(key?.id).toBeLessThan(256);
      }),
    );
    const keys = parseMasterKeys(`${masterKeyText(1)}, ${masterKeyText(2)}\n${masterKeyText(3)}`);
    expect(keys.map((key) => key.bytes[0])).toEqual([1, 2, 3]);
  });

  it("gives a key the same id always, and ids spread over the whole byte", () => {
    const ids = Array.from(
      { length: 2000 },
      (_, index) => parseMasterKeys(Buffer.alloc(32, `k${index}`).toString("base64"))[0]?.id,
    );
    expect(new Set(ids).size).toBeGreaterThan(250);
    expect(masterKeys(7)[0]?.id).toBe(masterKeys(7)[0]?.id);
  });

  it.each([
    ["nothing", "", "master_key_missing"],
    ["blanks", " \n", "master_key_missing"],
    ["a password", "correct horse battery staple", "master_key_invalid"],
    ["31 bytes", Buffer.alloc(31, 1).toString("base64"), "master_key_invalid"],
    ["33 bytes", Buffer.alloc(33, 1).toString("base64"), "master_key_invalid"],
    ["hex", Buffer.alloc(32, 1).toString("hex"), "master_key_invalid"],
    ["a spelling with stray bits", `${masterKeyText(0).slice(0, 42)}B=`, "master_key_invalid"],
    ["one good, one bad", `${masterKeyText(1)},x`, "master_key_invalid"],
    ["the same twice", `${masterKeyText(1)},${masterKeyText(1)}`, "master_key_invalid"],
    ["two with one id", clashingKeys().join(","), "master_key_invalid"],
  ])("refuses %s", (_, text, code) => {
    expect(codeOf(() => parseMasterKeys(text))).toBe(code);
  });

  it("names the place of a bad key, never its text", () => {
    const canary = "c2VjcmV0LWNhbmFyeS12YWx1ZQ";
    expect(() => parseMasterKeys(`${masterKeyText(1)},${canary}`)).toThrow(/^(?!.*c2VjcmV0).*master key 2 .*openssl/);
  });
});

describe("a master key", () => {
  const [key] = masterKeys(65) as [MasterKey];
  const shapes = ["AAAAAAAA", "QUFBQUFB", "4141414141", "65, 65, 65", "65,65,65", "41 41 41"];

  it.each([
    ["JSON", () => JSON.stringify({ key, list: [key] })],
    ["inspect", () => inspect({ key }, { showHidden: true, depth: 9, getters: true })],
    ["text", () => `${String(key)}`],
    ["a copy", () => inspect({ ...key })],
    ["a structured clone", () => inspect(structuredClone(key))],
    ["its members", () => inspect(Object.entries(key))],
    ["an error's cause", () => inspect(new Error("x", { cause: key }))],
  ])("does not show its bytes in %s", (_, print) => {
    const printed = print();
    for (const shape of shapes) expect(printed).not.toContain(shape);
  });

  it("derives keys by HKDF-SHA256 that differ by label and by key, and do not print", () => {
    const derived = deriveKey(key, "refresh token");
    expect(derived.export().equals(Buffer.from(hkdfSync("sha256", key.bytes, "", "pawl refresh token 1", 32)))).toBe(
      true,
    );
    const labels = ["refresh token", "signing key", "key check"];
    const all = labels.flatMap((label) =>
      masterKeys(1, 2).map((master) => deriveKey(master, label).export().toString("hex")),
    );
    expect(new Set(all).size).toBe(6);
    expect(inspect(derived, { showHidden: true })).not.toContain(derived.export().toString("hex").slice(0, 8));
  });
});

describe("key check", () => {
  it("recognises the first key among those given, wherever it stands", () => {
    const check = keyCheck(masterKeys(1, 2));
    expect(check).toBe(keyCheck(masterKeys(1)));
    expect(keyCheckMatches(check, masterKeys(1))).toBe(true);
    expect(keyCheckMatches(check, masterKeys(2, 1))).toBe(true);
    expect(keyCheckMatches(check, masterKeys(2))).toBe(false);
    for (const other of ["", "x", `${check}A`, check.slice(1)])
      expect(keyCheckMatches(other, masterKeys(1))).toBe(false);
  });

  it("lets a store know its keys: the same, a new one beside an old one, then the new one alone; never a strange one", async () => {
    const storage = new MemoryStorage();
    await claimMasterKeys(storage, masterKeys(1));
    await claimMasterKeys(storage, masterKeys(1));
    await expect(claimMasterKeys(storage, masterKeys(2))).rejects.toMatchObject({ code: "master_key_wrong" });
    await claimMasterKeys(storage, masterKeys(2, 1));
    await claimMasterKeys(storage, masterKeys(2));
    await claimMasterKeys(storage, masterKeys(3, 2));
    await expect(claimMasterKeys(storage, masterKeys(4, 5))).rejects.toMatchObject({ code: "master_key_wrong" });
  });

  it("lets one of two nodes win that start at once with different keys", async () => {
    const storage = new MemoryStorage();
    const outcomes = await Promise.allSettled([1, 2].map((byte) => claimMasterKeys(storage, masterKeys(byte))));
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("a sealed private key", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = { kid: "d-1", algorithm: "ES256" } as const;
  const sealWith = (...bytes: readonly number[]): string =>
    sealPrivateKey(privateKey, name, { masterKeys: masterKeys(...bytes), random: systemRandom });
  const sealed = sealWith(1);

  it("opens to the same key, also behind a new master key", () => {
    expect(openPrivateKey(sealed, name, masterKeys(1)).equals(privateKey)).toBe(true);
    expect(openPrivateKey(sealed, name, masterKeys(2, 1)).equals(privateKey)).toBe(true);
  });

  it("never looks the same and shows nothing of the key", () => {
    expect(sealWith(1)).not.toBe(sealed);
    const bytes = Buffer.from(sealed, "base64url");
    const scalar = Buffer.from(privateKey.export({ format: "jwk" }).d as string, "base64url");
    expect(bytes.includes(scalar)).toBe(false);
    expect(() => createPrivateKey({ key: bytes.subarray(13, -16), format: "der", type: "pkcs8" })).toThrow();
    expect(createPublicKey(privateKey).equals(createPublicKey(openPrivateKey(sealed, name, masterKeys(1))))).toBe(true);
  });

  it("is bound to its kid and its algorithm", () => {
    expect(codeOf(() => openPrivateKey(sealed, { ...name, kid: "d-2" }, masterKeys(1)))).toBe("signing_key_corrupt");
    expect(codeOf(() => openPrivateKey(sealed, { ...name, algorithm: "RS256" }, masterKeys(1)))).toBe(
      "signing_key_corrupt",
    );
  });

  it("does not open when any byte of it was changed, or when it is cut", () => {
    const bytes = Buffer.from(sealed, "base64url");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const expected = index === 0 ? "master_key_wrong" : "signing_key_corrupt";
      expect(codeOf(() => openPrivateKey(changed.toString("base64url"), name, masterKeys(1)))).toBe(expected);
      const cut = codeOf(() => openPrivateKey(bytes.subarray(0, index).toString("base64url"), name, masterKeys(1)));
      expect(cut).toBe(index === 0 ? "master_key_wrong" : "signing_key_corrupt");
    }
  });

  it("says which key is missing when another master key sealed it", () => {
    expect(codeOf(() => openPrivateKey(sealed, name, masterKeys(2)))).toBe("master_key_wrong");
    expect(() => openPrivateKey(sealed, name, masterKeys(2))).toThrow(/d-1 was sealed with another master key/);
  });
});
