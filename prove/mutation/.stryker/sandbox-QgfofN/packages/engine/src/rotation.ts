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
import { timingSafeEqual } from "node:crypto";
import { isLive, millis, type Millis, type RotationAttempt, type SessionRecord, type UseNote } from "@pawl/storage";

/** What a presented refresh token claims, and the reuse window (ms) it is judged with. */
export type PresentedToken = Pick<RotationAttempt, "seq" | "iat" | "secretHash" | "window"> & {
  /** The token from which it was minted, where it says so. */
  readonly parent?: number | undefined;
};

/** What a refresh means for a row. Only `mint`, `fast_forward` and `reuse` write. */
export type RotationDecision = /** There is no such live session. */
{
  readonly kind: "absent";
}
/** The token does not carry the secret of this session. No alarm, no write to the row. */ | {
  readonly kind: "forged";
}
/** The store lost commits: the row becomes what the rotation that made this token had left; answer it again, sealed now. */ | {
  readonly kind: "fast_forward";
  readonly seq: number;
  readonly current: number;
  readonly issuedAt: Millis;
}
/** No honest client could hold this token any more: end the session. */ | {
  readonly kind: "reuse";
}
/** Answer the newest token again, sealed now. */ | {
  readonly kind: "repeat";
  readonly seq: number;
}
/** Answer the presented token again, sealed with its own `iat`. */ | {
  readonly kind: "keep";
}
/** `current = seq; next = next + 1`, answer the new `next`. */ | {
  readonly kind: "mint";
  readonly seq: number;
};

/**
 * Decides a refresh: pure, and the one place where it is decided; the guard of `Storage.rotate` is its `mint` branch.
 * The protocol is drawn in the README of this package; it departs from RFC 9700 section 4.14.2 as listed there.
 */
export const decideRotation = (row: SessionRecord | undefined, token: PresentedToken, now: Millis): RotationDecision => {
  if (stryMutAct_9fa48("728")) {
    {}
  } else {
    stryCov_9fa48("728");
    if (stryMutAct_9fa48("731") ? row === undefined && !isLive(row, now) : stryMutAct_9fa48("730") ? false : stryMutAct_9fa48("729") ? true : (stryCov_9fa48("729", "730", "731"), (stryMutAct_9fa48("733") ? row !== undefined : stryMutAct_9fa48("732") ? false : (stryCov_9fa48("732", "733"), row === undefined)) || (stryMutAct_9fa48("734") ? isLive(row, now) : (stryCov_9fa48("734"), !isLive(row, now))))) return stryMutAct_9fa48("735") ? {} : (stryCov_9fa48("735"), {
      kind: "absent"
    });
    if (stryMutAct_9fa48("739") ? false : stryMutAct_9fa48("738") ? true : stryMutAct_9fa48("737") ? sameHash(token.secretHash, row.secretHash) : (stryCov_9fa48("737", "738", "739"), !sameHash(token.secretHash, row.secretHash))) return stryMutAct_9fa48("740") ? {} : (stryCov_9fa48("740"), {
      kind: "forged"
    });
    const {
      seq,
      iat,
      window,
      parent
    } = token;
    const {
      current,
      next,
      issuedAt
    } = row;
    if (stryMutAct_9fa48("745") ? seq <= next : stryMutAct_9fa48("744") ? seq >= next : stryMutAct_9fa48("743") ? false : stryMutAct_9fa48("742") ? true : (stryCov_9fa48("742", "743", "744", "745"), seq > next)) return stryMutAct_9fa48("746") ? {} : (stryCov_9fa48("746"), {
      kind: "fast_forward",
      seq,
      current: stryMutAct_9fa48("748") ? Math.min(current, parent ?? current) : (stryCov_9fa48("748"), Math.max(current, stryMutAct_9fa48("749") ? parent && current : (stryCov_9fa48("749"), parent ?? current))),
      issuedAt: millis(stryMutAct_9fa48("750") ? Math.max(now, Math.max(issuedAt, iat)) : (stryCov_9fa48("750"), Math.min(now, stryMutAct_9fa48("751") ? Math.min(issuedAt, iat) : (stryCov_9fa48("751"), Math.max(issuedAt, iat)))))
    });
    const fresh = stryMutAct_9fa48("754") ? window > 0 || now - issuedAt <= window || seq === next && now - iat <= window : stryMutAct_9fa48("753") ? false : stryMutAct_9fa48("752") ? true : (stryCov_9fa48("752", "753", "754"), (stryMutAct_9fa48("757") ? window <= 0 : stryMutAct_9fa48("756") ? window >= 0 : stryMutAct_9fa48("755") ? true : (stryCov_9fa48("755", "756", "757"), window > 0)) && (stryMutAct_9fa48("759") ? now - issuedAt <= window && seq === next && now - iat <= window : stryMutAct_9fa48("758") ? true : (stryCov_9fa48("758", "759"), (stryMutAct_9fa48("762") ? now - issuedAt > window : stryMutAct_9fa48("761") ? now - issuedAt < window : stryMutAct_9fa48("760") ? false : (stryCov_9fa48("760", "761", "762"), (stryMutAct_9fa48("763") ? now + issuedAt : (stryCov_9fa48("763"), now - issuedAt)) <= window)) || (stryMutAct_9fa48("765") ? seq === next || now - iat <= window : stryMutAct_9fa48("764") ? false : (stryCov_9fa48("764", "765"), (stryMutAct_9fa48("767") ? seq !== next : stryMutAct_9fa48("766") ? true : (stryCov_9fa48("766", "767"), seq === next)) && (stryMutAct_9fa48("770") ? now - iat > window : stryMutAct_9fa48("769") ? now - iat < window : stryMutAct_9fa48("768") ? true : (stryCov_9fa48("768", "769", "770"), (stryMutAct_9fa48("771") ? now + iat : (stryCov_9fa48("771"), now - iat)) <= window)))))));
    // Between `current` and `next` stand tokens whose successors nobody was seen to use. An honest client holds such a copy
    // only if it was handed out within a window of the displacement.
    const straggler = stryMutAct_9fa48("774") ? current < seq && seq < next && window > 0 || fresh || issuedAt - iat <= window : stryMutAct_9fa48("773") ? false : stryMutAct_9fa48("772") ? true : (stryCov_9fa48("772", "773", "774"), (stryMutAct_9fa48("776") ? current < seq && seq < next || window > 0 : stryMutAct_9fa48("775") ? true : (stryCov_9fa48("775", "776"), (stryMutAct_9fa48("778") ? current < seq || seq < next : stryMutAct_9fa48("777") ? true : (stryCov_9fa48("777", "778"), (stryMutAct_9fa48("781") ? current >= seq : stryMutAct_9fa48("780") ? current <= seq : stryMutAct_9fa48("779") ? true : (stryCov_9fa48("779", "780", "781"), current < seq)) && (stryMutAct_9fa48("784") ? seq >= next : stryMutAct_9fa48("783") ? seq <= next : stryMutAct_9fa48("782") ? true : (stryCov_9fa48("782", "783", "784"), seq < next)))) && (stryMutAct_9fa48("787") ? window <= 0 : stryMutAct_9fa48("786") ? window >= 0 : stryMutAct_9fa48("785") ? true : (stryCov_9fa48("785", "786", "787"), window > 0)))) && (stryMutAct_9fa48("789") ? fresh && issuedAt - iat <= window : stryMutAct_9fa48("788") ? true : (stryCov_9fa48("788", "789"), fresh || (stryMutAct_9fa48("792") ? issuedAt - iat > window : stryMutAct_9fa48("791") ? issuedAt - iat < window : stryMutAct_9fa48("790") ? false : (stryCov_9fa48("790", "791", "792"), (stryMutAct_9fa48("793") ? issuedAt + iat : (stryCov_9fa48("793"), issuedAt - iat)) <= window)))));
    if (stryMutAct_9fa48("796") ? seq !== current && seq !== next || !straggler : stryMutAct_9fa48("795") ? false : stryMutAct_9fa48("794") ? true : (stryCov_9fa48("794", "795", "796"), (stryMutAct_9fa48("798") ? seq !== current || seq !== next : stryMutAct_9fa48("797") ? true : (stryCov_9fa48("797", "798"), (stryMutAct_9fa48("800") ? seq === current : stryMutAct_9fa48("799") ? true : (stryCov_9fa48("799", "800"), seq !== current)) && (stryMutAct_9fa48("802") ? seq === next : stryMutAct_9fa48("801") ? true : (stryCov_9fa48("801", "802"), seq !== next)))) && (stryMutAct_9fa48("803") ? straggler : (stryCov_9fa48("803"), !straggler)))) return stryMutAct_9fa48("804") ? {} : (stryCov_9fa48("804"), {
      kind: "reuse"
    });
    if (stryMutAct_9fa48("808") ? false : stryMutAct_9fa48("807") ? true : stryMutAct_9fa48("806") ? fresh : (stryCov_9fa48("806", "807", "808"), !fresh)) return stryMutAct_9fa48("809") ? {} : (stryCov_9fa48("809"), {
      kind: "mint",
      seq
    });
    return (stryMutAct_9fa48("813") ? seq !== next : stryMutAct_9fa48("812") ? false : stryMutAct_9fa48("811") ? true : (stryCov_9fa48("811", "812", "813"), seq === next)) ? stryMutAct_9fa48("814") ? {} : (stryCov_9fa48("814"), {
      kind: "keep"
    }) : stryMutAct_9fa48("816") ? {} : (stryCov_9fa48("816"), {
      kind: "repeat",
      seq: next
    });
  }
};

/**
 * Decides the reported use of an access token: `confirm` when it shows that the newest refresh token has arrived
 * (`current = next`), otherwise nothing. A use never alarms and never fast-forwards.
 */
export const decideUse = (row: SessionRecord | undefined, use: Pick<UseNote, "seq" | "iat"> & {
  readonly window: Millis;
}, now: Millis): "confirm" | "nothing" => {
  if (stryMutAct_9fa48("818")) {
    {}
  } else {
    stryCov_9fa48("818");
    if (stryMutAct_9fa48("821") ? row === undefined && !isLive(row, now) : stryMutAct_9fa48("820") ? false : stryMutAct_9fa48("819") ? true : (stryCov_9fa48("819", "820", "821"), (stryMutAct_9fa48("823") ? row !== undefined : stryMutAct_9fa48("822") ? false : (stryCov_9fa48("822", "823"), row === undefined)) || (stryMutAct_9fa48("824") ? isLive(row, now) : (stryCov_9fa48("824"), !isLive(row, now))))) return "nothing";
    const settled = stryMutAct_9fa48("828") ? use.window === 0 && now - use.iat > use.window : stryMutAct_9fa48("827") ? false : stryMutAct_9fa48("826") ? true : (stryCov_9fa48("826", "827", "828"), (stryMutAct_9fa48("830") ? use.window !== 0 : stryMutAct_9fa48("829") ? false : (stryCov_9fa48("829", "830"), use.window === 0)) || (stryMutAct_9fa48("833") ? now - use.iat <= use.window : stryMutAct_9fa48("832") ? now - use.iat >= use.window : stryMutAct_9fa48("831") ? false : (stryCov_9fa48("831", "832", "833"), (stryMutAct_9fa48("834") ? now + use.iat : (stryCov_9fa48("834"), now - use.iat)) > use.window)));
    return (stryMutAct_9fa48("837") ? use.seq === row.next && row.current < row.next || settled : stryMutAct_9fa48("836") ? false : stryMutAct_9fa48("835") ? true : (stryCov_9fa48("835", "836", "837"), (stryMutAct_9fa48("839") ? use.seq === row.next || row.current < row.next : stryMutAct_9fa48("838") ? true : (stryCov_9fa48("838", "839"), (stryMutAct_9fa48("841") ? use.seq !== row.next : stryMutAct_9fa48("840") ? true : (stryCov_9fa48("840", "841"), use.seq === row.next)) && (stryMutAct_9fa48("844") ? row.current >= row.next : stryMutAct_9fa48("843") ? row.current <= row.next : stryMutAct_9fa48("842") ? true : (stryCov_9fa48("842", "843", "844"), row.current < row.next)))) && settled)) ? "confirm" : "nothing";
  }
};
const sameHash = (presented: string, stored: string): boolean => {
  if (stryMutAct_9fa48("847")) {
    {}
  } else {
    stryCov_9fa48("847");
    const left = Buffer.from(presented);
    const right = Buffer.from(stored);
    return stryMutAct_9fa48("850") ? left.length === right.length || timingSafeEqual(left, right) : stryMutAct_9fa48("849") ? false : stryMutAct_9fa48("848") ? true : (stryCov_9fa48("848", "849", "850"), (stryMutAct_9fa48("852") ? left.length !== right.length : stryMutAct_9fa48("851") ? true : (stryCov_9fa48("851", "852"), left.length === right.length)) && timingSafeEqual(left, right));
  }
};