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
import { millis, type TenantId, type UserId } from "@pawl/storage";
import { type AccessTokenFormat, parseSeq } from "./access-token-format.js";
import { parseHandle } from "./session-handle.js";
import type { JsonObject, SessionHandle } from "./session.js";
const SECOND = 1000;

/** What a form says of the owner, besides `sub`; its names are protected as the others are. */
interface OwnerClaims {
  /** Whether the tenant stands in `tId`; else only the handle says it. */
  readonly tenant: boolean;
  /** Whether the user stands in `rsub` too: the recipe user, which is the same one here. */
  readonly recipeUser: boolean;
}
const commonClaims = ["sub", "exp", "iat", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"] as const;

/** Access tokens of the SuperTokens CDI 2.21 and later: base64url, a key's name, times in seconds, payload at the root. */
const flatFormat = ({
  form,
  version
}: Pick<AccessTokenFormat, "version"> & {
  readonly form: "v3" | "v4" | "v5";
}, {
  tenant,
  recipeUser
}: OwnerClaims): AccessTokenFormat => {
  if (stryMutAct_9fa48("0")) {
    {}
  } else {
    stryCov_9fa48("0");
    const protectedClaims: ReadonlySet<string> = new Set(stryMutAct_9fa48("1") ? [] : (stryCov_9fa48("1"), [...commonClaims, ...(tenant ? stryMutAct_9fa48("2") ? [] : (stryCov_9fa48("2"), ["tId"]) : stryMutAct_9fa48("4") ? ["Stryker was here"] : (stryCov_9fa48("4"), [])), ...(recipeUser ? stryMutAct_9fa48("5") ? [] : (stryCov_9fa48("5"), ["rsub"]) : stryMutAct_9fa48("7") ? ["Stryker was here"] : (stryCov_9fa48("7"), []))]));

    /** A payload that was stored for another form may hold such names: they must not stand for ours. */
    const withoutProtectedClaims = stryMutAct_9fa48("8") ? () => undefined : (stryCov_9fa48("8"), (() => {
      const withoutProtectedClaims = (payload: JsonObject): JsonObject => (stryMutAct_9fa48("9") ? Object.keys(payload).every(name => protectedClaims.has(name)) : (stryCov_9fa48("9"), Object.keys(payload).some(stryMutAct_9fa48("10") ? () => undefined : (stryCov_9fa48("10"), name => protectedClaims.has(name))))) ? Object.fromEntries(stryMutAct_9fa48("11") ? Object.entries(payload) : (stryCov_9fa48("11"), Object.entries(payload).filter(stryMutAct_9fa48("12") ? () => undefined : (stryCov_9fa48("12"), ([name]) => stryMutAct_9fa48("13") ? protectedClaims.has(name) : (stryCov_9fa48("13"), !protectedClaims.has(name)))))) : payload;
      return withoutProtectedClaims;
    })());
    return stryMutAct_9fa48("14") ? {} : (stryCov_9fa48("14"), {
      form,
      version,
      encoding: "base64url",
      algorithms: stryMutAct_9fa48("16") ? [] : (stryCov_9fa48("16"), ["ES256", "RS256"]),
      timeUnit: millis(SECOND),
      protectedClaims,
      header: stryMutAct_9fa48("19") ? () => undefined : (stryCov_9fa48("19"), key => Buffer.from(JSON.stringify(stryMutAct_9fa48("20") ? {} : (stryCov_9fa48("20"), {
        alg: key.algorithm,
        typ: "JWT",
        version,
        kid: key.kid
      }))).toString("base64url")),
      // Two texts joined: an object made of both at once is several times slower to write.
      body(claims) {
        if (stryMutAct_9fa48("23")) {
          {}
        } else {
          stryCov_9fa48("23");
          const own = JSON.stringify(stryMutAct_9fa48("24") ? {} : (stryCov_9fa48("24"), {
            sub: claims.userId,
            iat: Math.floor(stryMutAct_9fa48("25") ? claims.issuedAt * SECOND : (stryCov_9fa48("25"), claims.issuedAt / SECOND)),
            exp: Math.floor(stryMutAct_9fa48("26") ? claims.expiresAt * SECOND : (stryCov_9fa48("26"), claims.expiresAt / SECOND)),
            tId: tenant ? claims.tenantId : undefined,
            rsub: recipeUser ? claims.userId : undefined,
            sessionHandle: claims.handle,
            refreshTokenHash1: String(claims.seq),
            parentRefreshTokenHash1: (stryMutAct_9fa48("29") ? claims.parentSeq !== undefined : stryMutAct_9fa48("28") ? false : stryMutAct_9fa48("27") ? true : (stryCov_9fa48("27", "28", "29"), claims.parentSeq === undefined)) ? null : String(claims.parentSeq),
            antiCsrfToken: stryMutAct_9fa48("30") ? claims.antiCsrfToken && null : (stryCov_9fa48("30"), claims.antiCsrfToken ?? null)
          }));
          const payload = JSON.stringify(withoutProtectedClaims(claims.payload));
          return (stryMutAct_9fa48("33") ? payload !== "{}" : stryMutAct_9fa48("32") ? false : stryMutAct_9fa48("31") ? true : (stryCov_9fa48("31", "32", "33"), payload === "{}")) ? own : `${stryMutAct_9fa48("36") ? own : (stryCov_9fa48("36"), own.slice(0, stryMutAct_9fa48("37") ? +1 : (stryCov_9fa48("37"), -1)))},${stryMutAct_9fa48("38") ? payload : (stryCov_9fa48("38"), payload.slice(1))}`;
        }
      },
      claims(body) {
        if (stryMutAct_9fa48("39")) {
          {}
        } else {
          stryCov_9fa48("39");
          const {
            sub,
            exp,
            iat,
            tId,
            rsub,
            sessionHandle,
            refreshTokenHash1,
            parentRefreshTokenHash1: parent,
            antiCsrfToken,
            ...rest
          } = body;
          const owner = (stryMutAct_9fa48("42") ? tenant && typeof sessionHandle !== "string" : stryMutAct_9fa48("41") ? false : stryMutAct_9fa48("40") ? true : (stryCov_9fa48("40", "41", "42"), tenant || (stryMutAct_9fa48("44") ? typeof sessionHandle === "string" : stryMutAct_9fa48("43") ? false : (stryCov_9fa48("43", "44"), typeof sessionHandle !== "string")))) ? stryMutAct_9fa48("46") ? {} : (stryCov_9fa48("46"), {
            tenantId: tId
          }) : parseHandle(sessionHandle);
          const seq = parseSeq(refreshTokenHash1);
          const parentSeq = parseSeq(parent);
          if (stryMutAct_9fa48("49") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string" || typeof owner?.tenantId !== "string" || seq === undefined || parent !== null && parentSeq === undefined || antiCsrfToken !== null && typeof antiCsrfToken !== "string" || !Number.isSafeInteger(exp)) && !Number.isSafeInteger(iat) : stryMutAct_9fa48("48") ? false : stryMutAct_9fa48("47") ? true : (stryCov_9fa48("47", "48", "49"), (stryMutAct_9fa48("51") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string" || typeof owner?.tenantId !== "string" || seq === undefined || parent !== null && parentSeq === undefined || antiCsrfToken !== null && typeof antiCsrfToken !== "string") && !Number.isSafeInteger(exp) : stryMutAct_9fa48("50") ? false : (stryCov_9fa48("50", "51"), (stryMutAct_9fa48("53") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string" || typeof owner?.tenantId !== "string" || seq === undefined || parent !== null && parentSeq === undefined) && antiCsrfToken !== null && typeof antiCsrfToken !== "string" : stryMutAct_9fa48("52") ? false : (stryCov_9fa48("52", "53"), (stryMutAct_9fa48("55") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string" || typeof owner?.tenantId !== "string" || seq === undefined) && parent !== null && parentSeq === undefined : stryMutAct_9fa48("54") ? false : (stryCov_9fa48("54", "55"), (stryMutAct_9fa48("57") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string" || typeof owner?.tenantId !== "string") && seq === undefined : stryMutAct_9fa48("56") ? false : (stryCov_9fa48("56", "57"), (stryMutAct_9fa48("59") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string" || typeof sessionHandle !== "string") && typeof owner?.tenantId !== "string" : stryMutAct_9fa48("58") ? false : (stryCov_9fa48("58", "59"), (stryMutAct_9fa48("61") ? (typeof sub !== "string" || recipeUser && typeof rsub !== "string") && typeof sessionHandle !== "string" : stryMutAct_9fa48("60") ? false : (stryCov_9fa48("60", "61"), (stryMutAct_9fa48("63") ? typeof sub !== "string" && recipeUser && typeof rsub !== "string" : stryMutAct_9fa48("62") ? false : (stryCov_9fa48("62", "63"), (stryMutAct_9fa48("65") ? typeof sub === "string" : stryMutAct_9fa48("64") ? false : (stryCov_9fa48("64", "65"), typeof sub !== "string")) || (stryMutAct_9fa48("68") ? recipeUser || typeof rsub !== "string" : stryMutAct_9fa48("67") ? false : (stryCov_9fa48("67", "68"), recipeUser && (stryMutAct_9fa48("70") ? typeof rsub === "string" : stryMutAct_9fa48("69") ? true : (stryCov_9fa48("69", "70"), typeof rsub !== "string")))))) || (stryMutAct_9fa48("73") ? typeof sessionHandle === "string" : stryMutAct_9fa48("72") ? false : (stryCov_9fa48("72", "73"), typeof sessionHandle !== "string")))) || (stryMutAct_9fa48("76") ? typeof owner?.tenantId === "string" : stryMutAct_9fa48("75") ? false : (stryCov_9fa48("75", "76"), typeof (stryMutAct_9fa48("77") ? owner.tenantId : (stryCov_9fa48("77"), owner?.tenantId)) !== "string")))) || (stryMutAct_9fa48("80") ? seq !== undefined : stryMutAct_9fa48("79") ? false : (stryCov_9fa48("79", "80"), seq === undefined)))) || (stryMutAct_9fa48("82") ? parent !== null || parentSeq === undefined : stryMutAct_9fa48("81") ? false : (stryCov_9fa48("81", "82"), (stryMutAct_9fa48("84") ? parent === null : stryMutAct_9fa48("83") ? true : (stryCov_9fa48("83", "84"), parent !== null)) && (stryMutAct_9fa48("86") ? parentSeq !== undefined : stryMutAct_9fa48("85") ? true : (stryCov_9fa48("85", "86"), parentSeq === undefined)))))) || (stryMutAct_9fa48("88") ? antiCsrfToken !== null || typeof antiCsrfToken !== "string" : stryMutAct_9fa48("87") ? false : (stryCov_9fa48("87", "88"), (stryMutAct_9fa48("90") ? antiCsrfToken === null : stryMutAct_9fa48("89") ? true : (stryCov_9fa48("89", "90"), antiCsrfToken !== null)) && (stryMutAct_9fa48("92") ? typeof antiCsrfToken === "string" : stryMutAct_9fa48("91") ? true : (stryCov_9fa48("91", "92"), typeof antiCsrfToken !== "string")))))) || (stryMutAct_9fa48("94") ? Number.isSafeInteger(exp) : (stryCov_9fa48("94"), !Number.isSafeInteger(exp))))) || (stryMutAct_9fa48("95") ? Number.isSafeInteger(iat) : (stryCov_9fa48("95"), !Number.isSafeInteger(iat))))) return undefined;
          return stryMutAct_9fa48("96") ? {} : (stryCov_9fa48("96"), {
            form,
            handle: sessionHandle as SessionHandle,
            tenantId: owner.tenantId as TenantId,
            userId: sub as UserId,
            seq,
            ...(stryMutAct_9fa48("99") ? parentSeq !== undefined || {
              parentSeq
            } : stryMutAct_9fa48("98") ? false : stryMutAct_9fa48("97") ? true : (stryCov_9fa48("97", "98", "99"), (stryMutAct_9fa48("101") ? parentSeq === undefined : stryMutAct_9fa48("100") ? true : (stryCov_9fa48("100", "101"), parentSeq !== undefined)) && (stryMutAct_9fa48("102") ? {} : (stryCov_9fa48("102"), {
              parentSeq
            })))),
            ...(stryMutAct_9fa48("105") ? antiCsrfToken !== null || {
              antiCsrfToken
            } : stryMutAct_9fa48("104") ? false : stryMutAct_9fa48("103") ? true : (stryCov_9fa48("103", "104", "105"), (stryMutAct_9fa48("107") ? antiCsrfToken === null : stryMutAct_9fa48("106") ? true : (stryCov_9fa48("106", "107"), antiCsrfToken !== null)) && (stryMutAct_9fa48("108") ? {} : (stryCov_9fa48("108"), {
              antiCsrfToken
            })))),
            payload: stryMutAct_9fa48("109") ? {} : (stryCov_9fa48("109"), {
              ...rest,
              // Where they are not ours they are the application's.
              ...(stryMutAct_9fa48("112") ? !tenant && tId !== undefined || {
                tId
              } : stryMutAct_9fa48("111") ? false : stryMutAct_9fa48("110") ? true : (stryCov_9fa48("110", "111", "112"), (stryMutAct_9fa48("114") ? !tenant || tId !== undefined : stryMutAct_9fa48("113") ? true : (stryCov_9fa48("113", "114"), (stryMutAct_9fa48("115") ? tenant : (stryCov_9fa48("115"), !tenant)) && (stryMutAct_9fa48("117") ? tId === undefined : stryMutAct_9fa48("116") ? true : (stryCov_9fa48("116", "117"), tId !== undefined)))) && (stryMutAct_9fa48("118") ? {} : (stryCov_9fa48("118"), {
                tId
              })))),
              ...(stryMutAct_9fa48("121") ? !recipeUser && rsub !== undefined || {
                rsub
              } : stryMutAct_9fa48("120") ? false : stryMutAct_9fa48("119") ? true : (stryCov_9fa48("119", "120", "121"), (stryMutAct_9fa48("123") ? !recipeUser || rsub !== undefined : stryMutAct_9fa48("122") ? true : (stryCov_9fa48("122", "123"), (stryMutAct_9fa48("124") ? recipeUser : (stryCov_9fa48("124"), !recipeUser)) && (stryMutAct_9fa48("126") ? rsub === undefined : stryMutAct_9fa48("125") ? true : (stryCov_9fa48("125", "126"), rsub !== undefined)))) && (stryMutAct_9fa48("127") ? {} : (stryCov_9fa48("127"), {
                rsub
              }))))
            }),
            // Only the second is known: age counts from its end, so that no token seems older than it is (DESIGN 3).
            issuedAt: millis(stryMutAct_9fa48("128") ? ((iat as number) + 1) / SECOND : (stryCov_9fa48("128"), (stryMutAct_9fa48("129") ? (iat as number) - 1 : (stryCov_9fa48("129"), (iat as number) + 1)) * SECOND)),
            expiresAt: millis(stryMutAct_9fa48("130") ? (exp as number) / SECOND : (stryCov_9fa48("130"), (exp as number) * SECOND))
          });
        }
      }
    });
  }
};

/** CDI 2.21. */
export const accessTokenV3 = flatFormat(stryMutAct_9fa48("131") ? {} : (stryCov_9fa48("131"), {
  form: "v3",
  version: "3"
}), stryMutAct_9fa48("134") ? {} : (stryCov_9fa48("134"), {
  tenant: stryMutAct_9fa48("135") ? true : (stryCov_9fa48("135"), false),
  recipeUser: stryMutAct_9fa48("136") ? true : (stryCov_9fa48("136"), false)
}));

/** CDI 3. */
export const accessTokenV4 = flatFormat(stryMutAct_9fa48("137") ? {} : (stryCov_9fa48("137"), {
  form: "v4",
  version: "4"
}), stryMutAct_9fa48("140") ? {} : (stryCov_9fa48("140"), {
  tenant: stryMutAct_9fa48("141") ? false : (stryCov_9fa48("141"), true),
  recipeUser: stryMutAct_9fa48("142") ? true : (stryCov_9fa48("142"), false)
}));

/** CDI 4.0 and later, and our own SDK. */
export const accessTokenV5 = flatFormat(stryMutAct_9fa48("143") ? {} : (stryCov_9fa48("143"), {
  form: "v5",
  version: "5"
}), stryMutAct_9fa48("146") ? {} : (stryCov_9fa48("146"), {
  tenant: stryMutAct_9fa48("147") ? false : (stryCov_9fa48("147"), true),
  recipeUser: stryMutAct_9fa48("148") ? false : (stryCov_9fa48("148"), true)
}));