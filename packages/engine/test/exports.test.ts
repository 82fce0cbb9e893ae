import { expect, it } from "vitest";
import * as host from "../src/host/index.js";
import * as engine from "../src/index.js";

it("the package exports these names and no others", () => {
  expect(Object.keys(engine).toSorted()).toEqual([
    "EngineError",
    "MAX_USER_ID_BYTES",
    "SIGNING_KEY_LEAD",
    "accessTokenFormats",
    "activityInterval",
    "addMasterKeyNeeds",
    "adminEvent",
    "checkNewUserId",
    "checkTenantId",
    "checkUserIdText",
    "createAccessTokenVerifier",
    "createEngine",
    "createTheftReports",
    "createTwoGenerations",
    "dataText",
    "defaultPolicy",
    "forgetActing",
    "formatDuration",
    "handleOf",
    "listMasterKeyNeeds",
    "listMasterKeys",
    "parseDuration",
    "parseHandle",
    "parseMasterKeys",
    "payloadText",
    "policyLimits",
    "policyPresets",
    "policyWith",
    "randomUuid",
    "refreshTokenValidityFloor",
    "removeMasterKey",
    "rotateMasterKey",
    "systemRandom",
    "verificationKeysFromJwks",
  ]);
});

it("its subpath `host` exports these", () => {
  expect(Object.keys(host).toSorted()).toEqual([
    "addToMasterKeyFile",
    "catchUpLog",
    "loggedStorage",
    "masterKeySource",
    "openEngine",
    "openRevocationLog",
    "parseLoggedRevocation",
    "removeFromMasterKeyFile",
    "startMaintenance",
  ]);
});
