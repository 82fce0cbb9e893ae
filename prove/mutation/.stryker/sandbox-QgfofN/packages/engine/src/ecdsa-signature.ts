/** Bytes of each of the two numbers of a P-256 signature. */function stryNS_9fa48() {
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
const NUMBER_BYTES = 32;
/** A sequence of two numbers, each with two bytes before it and a zero where it would otherwise read as negative. */
const LONGEST_DER = stryMutAct_9fa48("488") ? 2 - 2 * (2 + 1 + NUMBER_BYTES) : (stryCov_9fa48("488"), 2 + (stryMutAct_9fa48("489") ? 2 / (2 + 1 + NUMBER_BYTES) : (stryCov_9fa48("489"), 2 * (stryMutAct_9fa48("490") ? 2 + 1 - NUMBER_BYTES : (stryCov_9fa48("490"), (stryMutAct_9fa48("491") ? 2 - 1 : (stryCov_9fa48("491"), 2 + 1)) + NUMBER_BYTES)))));
const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * An ES256 signature as a JWT has it (two numbers of 32 bytes, RFC 7518 section 3.4) in the form that OpenSSL takes
 * (DER, RFC 3279 section 2.2.3). @returns undefined for another length.
 */
export const derFromJose = (signature: Buffer): Buffer | undefined => {
  if (stryMutAct_9fa48("492")) {
    {}
  } else {
    stryCov_9fa48("492");
    if (stryMutAct_9fa48("495") ? signature.length === 2 * NUMBER_BYTES : stryMutAct_9fa48("494") ? false : stryMutAct_9fa48("493") ? true : (stryCov_9fa48("493", "494", "495"), signature.length !== (stryMutAct_9fa48("496") ? 2 / NUMBER_BYTES : (stryCov_9fa48("496"), 2 * NUMBER_BYTES)))) return undefined;
    const der = Buffer.alloc(LONGEST_DER);
    let length = 2;
    for (const end of stryMutAct_9fa48("497") ? [] : (stryCov_9fa48("497"), [NUMBER_BYTES, stryMutAct_9fa48("498") ? 2 / NUMBER_BYTES : (stryCov_9fa48("498"), 2 * NUMBER_BYTES)])) {
      if (stryMutAct_9fa48("499")) {
        {}
      } else {
        stryCov_9fa48("499");
        let start = stryMutAct_9fa48("500") ? end + NUMBER_BYTES : (stryCov_9fa48("500"), end - NUMBER_BYTES);
        while (stryMutAct_9fa48("502") ? signature[start] === 0 || start < end - 1 : stryMutAct_9fa48("501") ? false : (stryCov_9fa48("501", "502"), (stryMutAct_9fa48("504") ? signature[start] !== 0 : stryMutAct_9fa48("503") ? true : (stryCov_9fa48("503", "504"), signature[start] === 0)) && (stryMutAct_9fa48("507") ? start >= end - 1 : stryMutAct_9fa48("506") ? start <= end - 1 : stryMutAct_9fa48("505") ? true : (stryCov_9fa48("505", "506", "507"), start < (stryMutAct_9fa48("508") ? end + 1 : (stryCov_9fa48("508"), end - 1)))))) stryMutAct_9fa48("509") ? start-- : (stryCov_9fa48("509"), start++);
        const zeros = (stryMutAct_9fa48("513") ? signature[start] as number >= 0x80 : stryMutAct_9fa48("512") ? (signature[start] as number) <= 0x80 : stryMutAct_9fa48("511") ? false : stryMutAct_9fa48("510") ? true : (stryCov_9fa48("510", "511", "512", "513"), (signature[start] as number) < 0x80)) ? 0 : 1;
        der[length] = INTEGER;
        der[stryMutAct_9fa48("514") ? length - 1 : (stryCov_9fa48("514"), length + 1)] = stryMutAct_9fa48("515") ? zeros + end + start : (stryCov_9fa48("515"), (stryMutAct_9fa48("516") ? zeros - end : (stryCov_9fa48("516"), zeros + end)) - start);
        stryMutAct_9fa48("517") ? length -= 2 + zeros : (stryCov_9fa48("517"), length += stryMutAct_9fa48("518") ? 2 - zeros : (stryCov_9fa48("518"), 2 + zeros));
        stryMutAct_9fa48("519") ? length -= signature.copy(der, length, start, end) : (stryCov_9fa48("519"), length += signature.copy(der, length, start, end));
      }
    }
    der[0] = SEQUENCE;
    der[1] = stryMutAct_9fa48("520") ? length + 2 : (stryCov_9fa48("520"), length - 2);
    return der.subarray(0, length);
  }
};

/** The way back, for what OpenSSL has just signed. */
export const joseFromDer = (der: Buffer): Buffer => {
  if (stryMutAct_9fa48("521")) {
    {}
  } else {
    stryCov_9fa48("521");
    const signature = Buffer.alloc(stryMutAct_9fa48("522") ? 2 / NUMBER_BYTES : (stryCov_9fa48("522"), 2 * NUMBER_BYTES));
    let at = 2;
    for (const end of stryMutAct_9fa48("523") ? [] : (stryCov_9fa48("523"), [NUMBER_BYTES, stryMutAct_9fa48("524") ? 2 / NUMBER_BYTES : (stryCov_9fa48("524"), 2 * NUMBER_BYTES)])) {
      if (stryMutAct_9fa48("525")) {
        {}
      } else {
        stryCov_9fa48("525");
        const last = stryMutAct_9fa48("526") ? at + 2 - (der[at + 1] as number) : (stryCov_9fa48("526"), (stryMutAct_9fa48("527") ? at - 2 : (stryCov_9fa48("527"), at + 2)) + (der[at + 1] as number));
        const first = stryMutAct_9fa48("528") ? Math.min(at + 2, last - NUMBER_BYTES) : (stryCov_9fa48("528"), Math.max(stryMutAct_9fa48("529") ? at - 2 : (stryCov_9fa48("529"), at + 2), stryMutAct_9fa48("530") ? last + NUMBER_BYTES : (stryCov_9fa48("530"), last - NUMBER_BYTES)));
        der.copy(signature, stryMutAct_9fa48("531") ? end + (last - first) : (stryCov_9fa48("531"), end - (stryMutAct_9fa48("532") ? last + first : (stryCov_9fa48("532"), last - first))), first, last);
        at = last;
      }
    }
    return signature;
  }
};