import { expect, it } from "vitest";
import * as host from "../src/host/index.js";
import * as identityProvider from "../src/identity-provider/index.js";
import * as engine from "../src/index.js";
import * as webhooks from "../src/webhooks/index.js";

it("the package exports these names and no others", () => {
  expect(Object.keys(engine).toSorted()).toEqual([
    "EngineError",
    "LEAST_BOUND_LIFE",
    "MAX_USER_ID_BYTES",
    "PROVIDER_FORM",
    "SIGNING_KEY_LEAD",
    "WEBHOOK_FORM",
    "accessTokenFormatOf",
    "accessTokenFormats",
    "accessTokenLife",
    "activityInterval",
    "addImportedCores",
    "addMasterKeyNeeds",
    "adminEvent",
    "areWebhooks",
    "audienceRuleOf",
    "checkFormer",
    "checkNewUserId",
    "checkTenantId",
    "checkUserIdText",
    "claimImportedCore",
    "createAccessTokenVerifier",
    "createEngine",
    "createLossReports",
    "createTheftReports",
    "createTwoGenerations",
    "createUseNotes",
    "dataText",
    "defaultPolicy",
    "destinationsOf",
    "eraseUser",
    "formatDuration",
    "handleOf",
    "importedSession",
    "isForeign",
    "isIdentityProvider",
    "isWebhook",
    "issuerFault",
    "listImportedCores",
    "listMasterKeyNeeds",
    "listMasterKeys",
    "oauthClaims",
    "parseDuration",
    "parseHandle",
    "parseMasterKeys",
    "payloadText",
    "policyLimits",
    "policyPresets",
    "policyWith",
    "providerLoginOf",
    "randomUuid",
    "refreshTokenValidityFloor",
    "removeMasterKey",
    "replaceFact",
    "rotateMasterKey",
    "systemRandom",
    "verificationKeysFromJwks",
    "verifyBest",
    "webhookEvents",
  ]);
});

it("its subpath `host` exports these", () => {
  expect(Object.keys(host).toSorted()).toEqual([
    "addToMasterKeyFile",
    "catchUpLog",
    "claimMasterKeyFile",
    "loggedStorage",
    "masterKeyFileWarning",
    "masterKeySource",
    "openEngine",
    "openRevocationLog",
    "parseLoggedRevocation",
    "removeFromMasterKeyFile",
    "startMaintenance",
  ]);
});

it("its subpath `identity-provider` exports this", () => {
  expect(Object.keys(identityProvider)).toEqual(["createLogoutReceiver"]);
});

it("its subpath `webhooks` exports these", () => {
  expect(Object.keys(webhooks).toSorted()).toEqual(["createDeliveries", "createWebhooks", "isPublicAddress"]);
});
