import { quotient } from "./contest.mjs";
import { cpuAtMost, ratioAtLeast, ratioAtMost } from "./goals.mjs";

const ES256 = { algorithm: "ES256" };
const RS256 = { algorithm: "RS256" };

const ENGINE = "@pawl/engine";
const SDK = "@pawl/node requireSession, a Session object";
const SUPERTOKENS = "supertokens-node 24 getSession, RS256, no network";

/** @type {import("./rows.mjs").Row} */
const verifyCached = {
  name: "verify-cached",
  title: "verify an access token that was seen before, a fresh string each time",
  ours: ENGINE,
  contenders: (directory) => [
    { name: ENGINE, module: "pawl", opener: "verifySeen" },
    { name: SDK, module: "pawl-node", opener: "verifySeen" },
    { name: "@pawl/supertokens getSession, a Session object", module: "pawl-supertokens", opener: "verifySeen" },
    { name: "map hit by the token's tail (the least)", module: "jwt", opener: "mapHit" },
    { name: "fast-jwt 6, ES256, its cache", module: "jwt", opener: "fastJwtCached" },
    { name: SUPERTOKENS, module: "supertokens", opener: "verify" },
    {
      name: "supertokens-node 1.0.1 getSession, RS256, no network",
      module: "supertokens-1",
      opener: "verify",
      settings: { directory },
    },
    { name: "iron-session 8 unsealData", module: "iron-session", opener: "unseal" },
    { name: "jose 6 jwtVerify, ES256", module: "jwt", opener: "jose", settings: ES256 },
    { name: "jose 6 jwtVerify, RS256", module: "jwt", opener: "jose", settings: RS256 },
  ],
  judge: (score) => {
    const ratio = quotient(score(SUPERTOKENS), score(ENGINE));
    return {
      ratio,
      goals: [
        cpuAtMost("in the engine", score(ENGINE).cpuMicros, 1),
        cpuAtMost("through the SDK", score(SDK).cpuMicros, 3),
        ratioAtLeast("supertokens-node takes", ratio, 50),
      ],
    };
  },
};

const ENGINE_ES256 = "@pawl/engine, ES256";
const ENGINE_RS256 = "@pawl/engine, RS256";
const RAW_ES256 = "crypto.verify alone, ES256";
const RAW_RS256 = "crypto.verify alone, RS256";

/** @type {import("./rows.mjs").Row} */
const verifyFirst = {
  name: "verify-first",
  title: "verify an access token for the first time",
  ours: ENGINE_ES256,
  contenders: () => [
    { name: ENGINE_ES256, module: "pawl", opener: "verifyUnseen", settings: ES256 },
    { name: RAW_ES256, module: "jwt", opener: "rawSignature", settings: ES256 },
    { name: "jose 6 jwtVerify, ES256", module: "jwt", opener: "jose", settings: ES256 },
    { name: ENGINE_RS256, module: "pawl", opener: "verifyUnseen", settings: RS256 },
    { name: RAW_RS256, module: "jwt", opener: "rawSignature", settings: RS256 },
    { name: "jose 6 jwtVerify, RS256", module: "jwt", opener: "jose", settings: RS256 },
  ],
  judge: (score) => {
    const ratio = quotient(score(ENGINE_ES256), score(RAW_ES256));
    const ratioRs256 = quotient(score(ENGINE_RS256), score(RAW_RS256));
    return {
      ratio,
      goals: [
        ratioAtMost("of the raw signature check, ES256", ratio, 1.15),
        ratioAtMost("of the raw signature check, RS256", ratioRs256, 1.15),
      ],
    };
  },
};

/** @type {readonly import("./rows.mjs").Row[]} */
export const verifyRows = [verifyCached, verifyFirst];
