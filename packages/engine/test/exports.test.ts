import { expect, it } from "vitest";
import * as engine from "../src/index.js";

it("the package exports these names and no others", () => {
  expect(Object.keys(engine).toSorted()).toEqual([
    "EngineError",
    "MAX_DATA_BYTES",
    "MAX_PAYLOAD_BYTES",
    "MAX_USER_ID_BYTES",
    "SIGNING_KEY_LEAD",
    "accessTokenFormats",
    "addToMasterKeyFile",
    "createAccessTokenVerifier",
    "createEngine",
    "createKeySet",
    "createRandomPool",
    "decideRotation",
    "decideUse",
    "defaultPolicy",
    "formatDuration",
    "handleOf",
    "isTenantId",
    "listMasterKeys",
    "masterKeySource",
    "openEngine",
    "parseDuration",
    "parseHandle",
    "parseMasterKeys",
    "policyWith",
    "randomUuid",
    "removeFromMasterKeyFile",
    "removeMasterKey",
    "rotateMasterKey",
    "startMaintenance",
    "systemRandom",
    "verificationKeysFromJwks",
  ]);
});
