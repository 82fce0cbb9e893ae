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
import { type KeyObject, sign, verify } from "node:crypto";
import type { SigningAlgorithm, SigningKeyKind } from "@pawl/storage";
import { derFromJose, joseFromDer } from "./ecdsa-signature.js";
import type { JsonObject } from "./session.js";

/** A public key that verifies tokens. Its algorithm is its own: no token can choose another (RFC 8725 section 3.1). */
export interface VerificationKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly kind?: SigningKeyKind;
  readonly publicKey: KeyObject;
}

/** The three encoded parts of a JWS in compact serialisation (RFC 7515 section 7.1). */
export interface JwtParts {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
  /** Header, dot, payload: what is signed. */
  readonly signed: string;
}

/** @returns undefined when there are not exactly three parts. Reads no further than the third dot. */
export const splitJwt = (token: string): JwtParts | undefined => {
  if (stryMutAct_9fa48("533")) {
    {}
  } else {
    stryCov_9fa48("533");
    const first = token.indexOf(".");
    const second = token.indexOf(".", stryMutAct_9fa48("536") ? first - 1 : (stryCov_9fa48("536"), first + 1));
    if (stryMutAct_9fa48("539") ? (first < 0 || second < 0) && token.includes(".", second + 1) : stryMutAct_9fa48("538") ? false : stryMutAct_9fa48("537") ? true : (stryCov_9fa48("537", "538", "539"), (stryMutAct_9fa48("541") ? first < 0 && second < 0 : stryMutAct_9fa48("540") ? false : (stryCov_9fa48("540", "541"), (stryMutAct_9fa48("544") ? first >= 0 : stryMutAct_9fa48("543") ? first <= 0 : stryMutAct_9fa48("542") ? false : (stryCov_9fa48("542", "543", "544"), first < 0)) || (stryMutAct_9fa48("547") ? second >= 0 : stryMutAct_9fa48("546") ? second <= 0 : stryMutAct_9fa48("545") ? false : (stryCov_9fa48("545", "546", "547"), second < 0)))) || token.includes(".", stryMutAct_9fa48("549") ? second - 1 : (stryCov_9fa48("549"), second + 1)))) return undefined;
    return stryMutAct_9fa48("550") ? {} : (stryCov_9fa48("550"), {
      header: stryMutAct_9fa48("551") ? token : (stryCov_9fa48("551"), token.slice(0, first)),
      payload: stryMutAct_9fa48("552") ? token : (stryCov_9fa48("552"), token.slice(stryMutAct_9fa48("553") ? first - 1 : (stryCov_9fa48("553"), first + 1), second)),
      signature: stryMutAct_9fa48("554") ? token : (stryCov_9fa48("554"), token.slice(stryMutAct_9fa48("555") ? second - 1 : (stryCov_9fa48("555"), second + 1))),
      signed: stryMutAct_9fa48("556") ? token : (stryCov_9fa48("556"), token.slice(0, second))
    });
  }
};

/** @returns undefined for anything but a JSON object. A member `__proto__` is a plain member. */
export const decodeJsonObject = (part: string, encoding: "base64" | "base64url"): JsonObject | undefined => {
  if (stryMutAct_9fa48("557")) {
    {}
  } else {
    stryCov_9fa48("557");
    try {
      if (stryMutAct_9fa48("558")) {
        {}
      } else {
        stryCov_9fa48("558");
        const value: unknown = JSON.parse(Buffer.from(part, encoding).toString("utf8"));
        return (stryMutAct_9fa48("562") ? typeof value === "object" && value !== null || !Array.isArray(value) : stryMutAct_9fa48("561") ? false : stryMutAct_9fa48("560") ? true : (stryCov_9fa48("560", "561", "562"), (stryMutAct_9fa48("564") ? typeof value === "object" || value !== null : stryMutAct_9fa48("563") ? true : (stryCov_9fa48("563", "564"), (stryMutAct_9fa48("566") ? typeof value !== "object" : stryMutAct_9fa48("565") ? true : (stryCov_9fa48("565", "566"), typeof value === "object")) && (stryMutAct_9fa48("569") ? value === null : stryMutAct_9fa48("568") ? true : (stryCov_9fa48("568", "569"), value !== null)))) && (stryMutAct_9fa48("570") ? Array.isArray(value) : (stryCov_9fa48("570"), !Array.isArray(value))))) ? value as JsonObject : undefined;
      }
    } catch {
      if (stryMutAct_9fa48("571")) {
        {}
      } else {
        stryCov_9fa48("571");
        return undefined;
      }
    }
  }
};

/**
 * The signature of a text: ECDSA as the two numbers of RFC 7518 section 3.4, RSASSA-PKCS1-v1_5 of section 3.3.
 *
 * Here and below the key stands alone and never in an options object, although Node could then write and read the two
 * numbers itself: to find out that such an object is no key, Node 24 throws and catches errors, 30 µs a signature.
 */
export const signJwt = (signed: string, {
  algorithm,
  privateKey
}: {
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
}): Buffer => {
  if (stryMutAct_9fa48("572")) {
    {}
  } else {
    stryCov_9fa48("572");
    const signature = sign("sha256", Buffer.from(signed), privateKey);
    return (stryMutAct_9fa48("576") ? algorithm !== "ES256" : stryMutAct_9fa48("575") ? false : stryMutAct_9fa48("574") ? true : (stryCov_9fa48("574", "575", "576"), algorithm === "ES256")) ? joseFromDer(signature) : signature;
  }
};

/**
 * Whether the signature is the key's, in its one canonical spelling (the decoder is lenient).
 * The text is taken as UTF-8: a narrower reading would let other characters stand for those that were signed.
 */
export const verifyJwt = (parts: Pick<JwtParts, "signed" | "signature">, {
  algorithm,
  publicKey
}: VerificationKey, encoding: "base64" | "base64url"): boolean => {
  if (stryMutAct_9fa48("578")) {
    {}
  } else {
    stryCov_9fa48("578");
    const bytes = Buffer.from(parts.signature, encoding);
    if (stryMutAct_9fa48("581") ? bytes.toString(encoding) === parts.signature : stryMutAct_9fa48("580") ? false : stryMutAct_9fa48("579") ? true : (stryCov_9fa48("579", "580", "581"), bytes.toString(encoding) !== parts.signature)) return stryMutAct_9fa48("582") ? true : (stryCov_9fa48("582"), false);
    const signature = (stryMutAct_9fa48("585") ? algorithm !== "ES256" : stryMutAct_9fa48("584") ? false : stryMutAct_9fa48("583") ? true : (stryCov_9fa48("583", "584", "585"), algorithm === "ES256")) ? derFromJose(bytes) : bytes;
    return stryMutAct_9fa48("589") ? signature !== undefined || verify("sha256", Buffer.from(parts.signed), publicKey, signature) : stryMutAct_9fa48("588") ? false : stryMutAct_9fa48("587") ? true : (stryCov_9fa48("587", "588", "589"), (stryMutAct_9fa48("591") ? signature === undefined : stryMutAct_9fa48("590") ? true : (stryCov_9fa48("590", "591"), signature !== undefined)) && verify("sha256", Buffer.from(parts.signed), publicKey, signature));
  }
};