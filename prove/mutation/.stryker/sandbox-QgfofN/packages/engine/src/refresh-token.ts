function stryNS_9fa48() {
  var g = typeof globalThis === 'object' && globalThis && globalThis.Math === Math && globalThis || new Function("return this")();
  var ns = g.__stryker__ || (g.__stryker__ = {});
  if (ns.activeMutant === undefined && g.process && g.process.env && g.process.env.__STRYKER_ACTIVE_MUTANT__) {
    ns.activeMutant = g.process.env.__STRYKER_ACTIVE_MUTANT__;
  }
  function retrieveNS() {
    return ns;
  }
  stryNS_9fa48 = retrieveNS;
  return retrieveNS();
}
stryNS_9fa48();
function stryCov_9fa48() {
  var ns = stryNS_9fa48();
  var cov = ns.mutantCoverage || (ns.mutantCoverage = {
    static: {},
    perTest: {}
  });
  function cover() {
    var c = cov.static;
    if (ns.currentTestId) {
      c = cov.perTest[ns.currentTestId] = cov.perTest[ns.currentTestId] || {};
    }
    var a = arguments;
    for (var i = 0; i < a.length; i++) {
      c[a[i]] = (c[a[i]] || 0) + 1;
    }
  }
  stryCov_9fa48 = cover;
  cover.apply(null, arguments);
}
function stryMutAct_9fa48(id) {
  var ns = stryNS_9fa48();
  function isActive(id) {
    if (ns.activeMutant === id) {
      if (ns.hitCount !== void 0 && ++ns.hitCount > ns.hitLimit) {
        throw new Error('Stryker: Hit count limit reached (' + ns.hitCount + ')');
      }
      return true;
    }
    return false;
  }
  stryMutAct_9fa48 = isActive;
  return isActive(id);
}
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import { type Millis, millis, type SessionId } from "@pawl/storage";
import { deriveKey, type MasterKey, sealingKey } from "./master-key.js";
import { formatUuid, type RandomSource } from "./random.js";
import type { RefreshToken } from "./session.js";

/** What is sealed in a refresh token. */
export interface RefreshTokenClaims {
  readonly id: SessionId;
  /** 0 to 2^48 - 1. */
  readonly seq: number;
  /** The store's time at which this copy was sealed. */
  readonly iat: Millis;
  /**
   * The token from which this one was minted, so that a store which lost that rotation can do it again; absent for a
   * session's first, and where it is more than 127 behind.
   */
  readonly parent?: number;
  /** Whether an anti-CSRF token was issued for the session. */
  readonly antiCsrf: boolean;
  /** 32 bytes, made once per session; its row holds only their hash. */
  readonly secret: Buffer;
}

/** Seals and opens refresh tokens (DESIGN 2). */
export interface RefreshTokenSeal {
  seal(claims: RefreshTokenClaims): RefreshToken;
  /** @returns undefined for everything that `seal` did not make with one of the keys, whatever it is. */
  open(token: string): RefreshTokenClaims | undefined;
}
const PREFIX = "pawl_rt_1.";
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
/** A token begins with the key id, the salt of its own key, and the nonce. */
const SALT_AT = 1;
const NONCE_AT = stryMutAct_9fa48("640") ? SALT_AT - SALT_BYTES : (stryCov_9fa48("640"), SALT_AT + SALT_BYTES);
const HEAD_BYTES = stryMutAct_9fa48("641") ? NONCE_AT - NONCE_BYTES : (stryCov_9fa48("641"), NONCE_AT + NONCE_BYTES);
/** Session id, seq, iat, flags, secret. */
const PLAIN_BYTES = stryMutAct_9fa48("642") ? 16 + 6 + 6 + 1 - 32 : (stryCov_9fa48("642"), (stryMutAct_9fa48("643") ? 16 + 6 + 6 - 1 : (stryCov_9fa48("643"), (stryMutAct_9fa48("644") ? 16 + 6 - 6 : (stryCov_9fa48("644"), (stryMutAct_9fa48("645") ? 16 - 6 : (stryCov_9fa48("645"), 16 + 6)) + 6)) + 1)) + 32);
const TOKEN_BYTES = stryMutAct_9fa48("646") ? HEAD_BYTES + PLAIN_BYTES - TAG_BYTES : (stryCov_9fa48("646"), (stryMutAct_9fa48("647") ? HEAD_BYTES - PLAIN_BYTES : (stryCov_9fa48("647"), HEAD_BYTES + PLAIN_BYTES)) + TAG_BYTES);
const TOKEN_LENGTH = stryMutAct_9fa48("648") ? PREFIX.length - Math.ceil(TOKEN_BYTES * 4 / 3) : (stryCov_9fa48("648"), PREFIX.length + Math.ceil(stryMutAct_9fa48("649") ? TOKEN_BYTES * 4 * 3 : (stryCov_9fa48("649"), (stryMutAct_9fa48("650") ? TOKEN_BYTES / 4 : (stryCov_9fa48("650"), TOKEN_BYTES * 4)) / 3)));
const ANTI_CSRF_FLAG = 1;
/** The seven other bits of the flags: how far the parent is behind, 0 for none. */
const PARENT_SHIFT = 1;
const MAX_PARENT_DISTANCE = 127;
const parentDistance = stryMutAct_9fa48("651") ? () => undefined : (stryCov_9fa48("651"), (() => {
  const parentDistance = ({
    seq,
    parent = seq
  }: RefreshTokenClaims): number => (stryMutAct_9fa48("655") ? seq - parent > MAX_PARENT_DISTANCE : stryMutAct_9fa48("654") ? seq - parent < MAX_PARENT_DISTANCE : stryMutAct_9fa48("653") ? false : stryMutAct_9fa48("652") ? true : (stryCov_9fa48("652", "653", "654", "655"), (stryMutAct_9fa48("656") ? seq + parent : (stryCov_9fa48("656"), seq - parent)) <= MAX_PARENT_DISTANCE)) ? stryMutAct_9fa48("657") ? seq + parent : (stryCov_9fa48("657"), seq - parent) : 0;
  return parentDistance;
})());

/** The id of the master key that sealed a token, by its form; undefined for what has no such form. */
export const masterKeyIdOf = stryMutAct_9fa48("658") ? () => undefined : (stryCov_9fa48("658"), (() => {
  const masterKeyIdOf = (token: string): number | undefined => (stryMutAct_9fa48("661") ? token.length === TOKEN_LENGTH || token.startsWith(PREFIX) : stryMutAct_9fa48("660") ? false : stryMutAct_9fa48("659") ? true : (stryCov_9fa48("659", "660", "661"), (stryMutAct_9fa48("663") ? token.length !== TOKEN_LENGTH : stryMutAct_9fa48("662") ? true : (stryCov_9fa48("662", "663"), token.length === TOKEN_LENGTH)) && (stryMutAct_9fa48("664") ? token.endsWith(PREFIX) : (stryCov_9fa48("664"), token.startsWith(PREFIX))))) ? Buffer.from(stryMutAct_9fa48("665") ? token : (stryCov_9fa48("665"), token.slice(PREFIX.length, stryMutAct_9fa48("666") ? PREFIX.length - 2 : (stryCov_9fa48("666"), PREFIX.length + 2))), "base64url")[0] : undefined;
  return masterKeyIdOf;
})());
const encodeClaims = (claims: RefreshTokenClaims): Buffer => {
  if (stryMutAct_9fa48("668")) {
    {}
  } else {
    stryCov_9fa48("668");
    const plain = Buffer.alloc(PLAIN_BYTES);
    plain.write(claims.id.replaceAll("-", ""), 0, 16, "hex");
    plain.writeUIntBE(claims.seq, 16, 6);
    plain.writeUIntBE(claims.iat, 22, 6);
    plain.writeUInt8(parentDistance(claims) << PARENT_SHIFT | (claims.antiCsrf ? ANTI_CSRF_FLAG : 0), 28);
    claims.secret.copy(plain, 29);
    return plain;
  }
};
const decodeClaims = (plain: Buffer): RefreshTokenClaims => {
  if (stryMutAct_9fa48("672")) {
    {}
  } else {
    stryCov_9fa48("672");
    const seq = plain.readUIntBE(16, 6);
    const flags = plain.readUInt8(28);
    const distance = flags >> PARENT_SHIFT;
    return stryMutAct_9fa48("673") ? {} : (stryCov_9fa48("673"), {
      id: formatUuid(plain.subarray(0, 16)) as SessionId,
      seq,
      iat: millis(plain.readUIntBE(22, 6)),
      ...((stryMutAct_9fa48("677") ? distance <= 0 : stryMutAct_9fa48("676") ? distance >= 0 : stryMutAct_9fa48("675") ? false : stryMutAct_9fa48("674") ? true : (stryCov_9fa48("674", "675", "676", "677"), distance > 0)) ? stryMutAct_9fa48("678") ? {} : (stryCov_9fa48("678"), {
        parent: stryMutAct_9fa48("679") ? seq + distance : (stryCov_9fa48("679"), seq - distance)
      }) : {}),
      antiCsrf: stryMutAct_9fa48("682") ? (flags & ANTI_CSRF_FLAG) === 0 : stryMutAct_9fa48("681") ? false : stryMutAct_9fa48("680") ? true : (stryCov_9fa48("680", "681", "682"), (flags & ANTI_CSRF_FLAG) !== 0),
      secret: plain.subarray(29)
    });
  }
};

/** A master key, prepared for refresh tokens. */
interface SealKey {
  readonly id: Buffer;
  readonly key: KeyObject;
  readonly additionalData: Buffer;
}
const prepareKey = (master: MasterKey): SealKey => {
  if (stryMutAct_9fa48("683")) {
    {}
  } else {
    stryCov_9fa48("683");
    const id = Buffer.of(master.id);
    return stryMutAct_9fa48("684") ? {} : (stryCov_9fa48("684"), {
      id,
      key: deriveKey(master, "refresh token"),
      additionalData: Buffer.concat(stryMutAct_9fa48("686") ? [] : (stryCov_9fa48("686"), [Buffer.from(PREFIX), id]))
    });
  }
};

/**
 * The key of the token that begins with these bytes. A key object, although a cipher takes bytes: to find out that they
 * are none, Node 24 throws and catches errors, 13 µs each time.
 */
const tokenKey = stryMutAct_9fa48("687") ? () => undefined : (stryCov_9fa48("687"), (() => {
  const tokenKey = ({
    key
  }: SealKey, head: Buffer): KeyObject => createSecretKey(createHmac("sha256", key).update(head.subarray(SALT_AT, NONCE_AT)).digest());
  return tokenKey;
})());

/**
 * A seal over a list of master keys: the first seals, each opens what it sealed. Every token has a key of its own
 * (HMAC-SHA256 of 16 random bytes), so that no number of tokens wears out AES-256-GCM.
 * @throws EngineError `master_key_missing` for an empty list.
 */
export const createRefreshTokenSeal = (masterKeys: readonly MasterKey[], random: RandomSource): RefreshTokenSeal => {
  if (stryMutAct_9fa48("689")) {
    {}
  } else {
    stryCov_9fa48("689");
    const keys = new Map(masterKeys.map(stryMutAct_9fa48("690") ? () => undefined : (stryCov_9fa48("690"), key => stryMutAct_9fa48("691") ? [] : (stryCov_9fa48("691"), [key.id, prepareKey(key)]))));
    const sealing = prepareKey(sealingKey(masterKeys));
    return stryMutAct_9fa48("692") ? {} : (stryCov_9fa48("692"), {
      seal(claims) {
        if (stryMutAct_9fa48("693")) {
          {}
        } else {
          stryCov_9fa48("693");
          const head = Buffer.concat(stryMutAct_9fa48("694") ? [] : (stryCov_9fa48("694"), [sealing.id, random.bytes(stryMutAct_9fa48("695") ? SALT_BYTES - NONCE_BYTES : (stryCov_9fa48("695"), SALT_BYTES + NONCE_BYTES))]), HEAD_BYTES);
          const cipher = createCipheriv("aes-256-gcm", tokenKey(sealing, head), head.subarray(NONCE_AT));
          cipher.setAAD(sealing.additionalData);
          const sealed = cipher.update(encodeClaims(claims));
          cipher.final();
          const bytes = Buffer.concat(stryMutAct_9fa48("697") ? [] : (stryCov_9fa48("697"), [head, sealed, cipher.getAuthTag()]), TOKEN_BYTES);
          return PREFIX + bytes.toString("base64url") as RefreshToken;
        }
      },
      open(token) {
        if (stryMutAct_9fa48("698")) {
          {}
        } else {
          stryCov_9fa48("698");
          if (stryMutAct_9fa48("701") ? token.length !== TOKEN_LENGTH && !token.startsWith(PREFIX) : stryMutAct_9fa48("700") ? false : stryMutAct_9fa48("699") ? true : (stryCov_9fa48("699", "700", "701"), (stryMutAct_9fa48("703") ? token.length === TOKEN_LENGTH : stryMutAct_9fa48("702") ? false : (stryCov_9fa48("702", "703"), token.length !== TOKEN_LENGTH)) || (stryMutAct_9fa48("704") ? token.startsWith(PREFIX) : (stryCov_9fa48("704"), !(stryMutAct_9fa48("705") ? token.endsWith(PREFIX) : (stryCov_9fa48("705"), token.startsWith(PREFIX))))))) return undefined;
          const text = stryMutAct_9fa48("706") ? token : (stryCov_9fa48("706"), token.slice(PREFIX.length));
          const bytes = Buffer.from(text, "base64url");
          // The decoder is lenient: only the one canonical spelling of these bytes is the token.
          if (stryMutAct_9fa48("710") ? bytes.length !== TOKEN_BYTES && bytes.toString("base64url") !== text : stryMutAct_9fa48("709") ? false : stryMutAct_9fa48("708") ? true : (stryCov_9fa48("708", "709", "710"), (stryMutAct_9fa48("712") ? bytes.length === TOKEN_BYTES : stryMutAct_9fa48("711") ? false : (stryCov_9fa48("711", "712"), bytes.length !== TOKEN_BYTES)) || (stryMutAct_9fa48("714") ? bytes.toString("base64url") === text : stryMutAct_9fa48("713") ? false : (stryCov_9fa48("713", "714"), bytes.toString("base64url") !== text)))) return undefined;
          const key = keys.get(bytes.readUInt8(0));
          if (stryMutAct_9fa48("718") ? key !== undefined : stryMutAct_9fa48("717") ? false : stryMutAct_9fa48("716") ? true : (stryCov_9fa48("716", "717", "718"), key === undefined)) return undefined;
          const nonce = bytes.subarray(NONCE_AT, HEAD_BYTES);
          const decipher = createDecipheriv("aes-256-gcm", tokenKey(key, bytes), nonce, stryMutAct_9fa48("720") ? {} : (stryCov_9fa48("720"), {
            authTagLength: TAG_BYTES
          }));
          decipher.setAAD(key.additionalData);
          decipher.setAuthTag(bytes.subarray(stryMutAct_9fa48("721") ? +TAG_BYTES : (stryCov_9fa48("721"), -TAG_BYTES)));
          const plain = decipher.update(bytes.subarray(HEAD_BYTES, stryMutAct_9fa48("722") ? +TAG_BYTES : (stryCov_9fa48("722"), -TAG_BYTES)));
          try {
            if (stryMutAct_9fa48("723")) {
              {}
            } else {
              stryCov_9fa48("723");
              decipher.final();
            }
          } catch {
            if (stryMutAct_9fa48("724")) {
              {}
            } else {
              stryCov_9fa48("724");
              return undefined;
            }
          }
          return decodeClaims(plain);
        }
      }
    });
  }
};

/** Base64url SHA-256 of a session's secret: what its row holds. */
export const secretHash = stryMutAct_9fa48("725") ? () => undefined : (stryCov_9fa48("725"), (() => {
  const secretHash = (secret: Buffer): string => hash("sha256", secret, "base64url");
  return secretHash;
})());