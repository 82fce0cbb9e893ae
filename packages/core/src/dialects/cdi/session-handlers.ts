import { parseHandle, type RefreshOutcome, type SessionInformation, type TryRefreshReason } from "@pawl/engine";
import { PUBLIC_TENANT, type SigningKeyKind, type UserId } from "@pawl/storage";
import type { CoreReply } from "../../server/dialect.js";
import type { UnknownObject } from "../../server/json-object.js";
import {
  booleanField,
  InputError,
  objectField,
  optionalBooleanField,
  optionalObjectField,
  optionalQueryParameter,
  optionalStringField,
  optionalStringsField,
  queryParameter,
  readFields,
  stringField,
} from "../cdi-input.js";
import { actingReply, jsonReply, unprovenReply } from "../cdi-reply.js";
import { signingKeyMembers } from "../signing-key-members.js";
import type { CdiCall, CdiHandlers, CdiOptions } from "./cdi-call.js";
import type { CdiVersion } from "./cdi-versions.js";
import { assertTenant } from "./known-tenant.js";
import { issuedTokens, ownerMembers, sessionMembers, tokenTimes } from "./session-answer.js";

const NO_SESSION = { status: "UNAUTHORISED", message: "Session does not exist." };

/** The original's texts, without the names of its classes. */
const tryRefreshTexts: Partial<Readonly<Record<TryRefreshReason, string>>> = {
  malformed: "Invalid JWT",
  unsupported_header: "JWT header mismatch",
  unknown_key: "Key not found",
  bad_signature: "JWT verification failed",
};

const refreshTexts: Readonly<Record<Extract<RefreshOutcome, { kind: "unauthorised" }>["why"], string>> = {
  invalid_token: "Invalid refresh token",
  forged_token: "Invalid refresh token",
  no_session: "Session missing in db or has expired",
  anti_csrf: "Anti CSRF token missing, or not matching",
  other_session: "Session missing in db or has expired",
};

/** Everything about one session or one user's. */
export const createSessionHandlers = ({ engine, config, random }: CdiOptions) => {
  const { keyKind: defaultKind, cdiSigningAlgorithm: algorithm, cdiVerifyKnows: heedRevocations } = config;
  /** With the public keys, in the versions that include them. */
  const replyWithKeys = async (members: object, { publicKeys }: CdiVersion): Promise<CoreReply> => {
    if (!publicKeys) return jsonReply(members);
    const keys = await signingKeyMembers(engine, { keyKind: defaultKind, list: true });
    return jsonReply(members, keys);
  };

  /** The kind of key a request wants; undefined where it does not say. */
  const wantedKind = (
    fields: UnknownObject,
    version: CdiVersion,
    when: "keyKindAtCreate" | "keyKindAtRefresh",
  ): SigningKeyKind | undefined => {
    // Versions that include the public keys know one kind of key.
    if (version.publicKeys) return defaultKind;
    const reading = version[when];
    if (reading === "not_read") return undefined;
    const read = reading === "required" ? booleanField : optionalBooleanField;
    const isDynamic = read(fields, "useDynamicSigningKey");
    return isDynamic === undefined ? undefined : isDynamic ? "dynamic" : "static";
  };

  /** Whether a request may name a session. The tenant in its handle has to exist. */
  const reaches = async ({ tenantId }: CdiCall, handle: string): Promise<boolean> => {
    await assertTenant(engine, parseHandle(handle)?.tenantId ?? PUBLIC_TENANT);
    return isReached(handle, tenantId);
  };
  const sessionOfQuery = async (call: CdiCall): Promise<SessionInformation | undefined> => {
    const handle = queryParameter(call.query, "sessionHandle");
    return (await reaches(call, handle)) ? engine.getSession(handle) : undefined;
  };

  return {
    async createSession({ version, tenantId, body }) {
      const fields = readFields(body);
      const userId = stringField(fields, "userId") as UserId;
      const enableAntiCsrf = booleanField(fields, "enableAntiCsrf");
      const payload = objectField(fields, "userDataInJWT");
      const data = objectField(fields, "userDataInDatabase");
      const keyKind = wantedKind(fields, version, "keyKindAtCreate") ?? defaultKind;
      const issued = await engine.createSession({
        tenantId,
        tenantMustExist: true,
        userId,
        payload,
        data,
        enableAntiCsrf,
        form: version.tokenForm,
        algorithm,
        keyKind,
      });
      return replyWithKeys(issuedTokens(issued, { version, random }), version);
    },

    async getSession(call) {
      const { version } = call;
      const session = await sessionOfQuery(call);
      if (session === undefined) return jsonReply(NO_SESSION);
      return jsonReply({
        status: "OK",
        sessionHandle: session.handle,
        ...ownerMembers(session, version),
        userDataInDatabase: session.data,
        userDataInJWT: session.payload,
        expiry: session.expiresAt,
        timeCreated: session.createdAt,
        tenantId: version.tenants ? session.tenantId : undefined,
      });
    },

    async verifySession({ version, body }) {
      const fields = readFields(body);
      const accessToken = stringField(fields, "accessToken");
      const antiCsrfToken = optionalStringField(fields, "antiCsrfToken");
      const doAntiCsrfCheck = booleanField(fields, "doAntiCsrfCheck");
      const enableAntiCsrf = booleanField(fields, "enableAntiCsrf");
      const isRequested = version.checkDatabase === "required" && booleanField(fields, "checkDatabase");
      const checkDatabase = isRequested || engine.policy.checkDatabase;
      const outcome = await engine.confirmAccessToken({
        accessToken,
        doAntiCsrfCheck,
        enableAntiCsrf,
        checkDatabase,
        heedRevocations,
        antiCsrfToken,
      });
      switch (outcome.kind) {
        case "valid": {
          const { claims, accessToken: clean } = outcome;
          if (claims.actor !== undefined) return actingReply();
          return replyWithKeys(
            {
              status: "OK",
              session: sessionMembers(claims, version),
              accessToken: clean && tokenTimes(clean),
            },
            version,
          );
        }
        case "try_refresh": {
          const message = tryRefreshTexts[outcome.why] ?? outcome.message;
          return replyWithKeys({ status: "TRY_REFRESH_TOKEN", message }, version);
        }
        case "unauthorised": {
          const ended = "Either the session has ended or has been blacklisted";
          const isKnown = checkDatabase || outcome.why === "revoked";
          return jsonReply({ status: "UNAUTHORISED", message: isKnown ? ended : "Session missing in db" });
        }
      }
    },

    async refreshSession({ version, body }) {
      const fields = readFields(body);
      const refreshToken = stringField(fields, "refreshToken");
      const antiCsrfToken = optionalStringField(fields, "antiCsrfToken");
      const enableAntiCsrf = booleanField(fields, "enableAntiCsrf");
      const keyKind = wantedKind(fields, version, "keyKindAtRefresh");
      const outcome = await engine.refreshSession({
        refreshToken,
        enableAntiCsrf,
        form: version.tokenForm,
        algorithm,
        antiCsrfToken,
        keyKind,
      });
      switch (outcome.kind) {
        case "refreshed":
          return jsonReply(issuedTokens(outcome, { version, random }));
        case "unauthorised":
          return jsonReply({ status: "UNAUTHORISED", message: refreshTexts[outcome.why] });
        case "unproven":
          return unprovenReply();
        case "token_reuse": {
          const { session } = outcome;
          return jsonReply({
            status: "TOKEN_THEFT_DETECTED",
            session: { handle: session.handle, ...ownerMembers(session, version) },
          });
        }
      }
    },

    async regenerateSession({ version, body }) {
      const fields = readFields(body);
      const accessToken = stringField(fields, "accessToken");
      const payload = optionalObjectField(fields, "userDataInJWT");
      const outcome = await engine.regenerateAccessToken(accessToken, payload);
      // The token speaks for another user than the session does now.
      if (outcome.kind === "outdated") return actingReply();
      if (outcome.kind === "unauthorised")
        return jsonReply(outcome.why === "no_session" ? NO_SESSION : { ...NO_SESSION, message: "Invalid JWT" });
      const { session, accessToken: renewed } = outcome;
      return jsonReply({
        status: "OK",
        session: sessionMembers(session, version),
        accessToken: renewed && tokenTimes(renewed),
      });
    },

    async removeSessions({ version, tenantId, body }) {
      const fields = readFields(body);
      const userId = optionalStringField(fields, "userId") as UserId | undefined;
      const handles = optionalStringsField(fields, "sessionHandles");
      if ((userId === undefined) === (handles === undefined))
        throw new InputError("Invalid JSON input - use one of userId or sessionHandles array");
      const everywhere = optionalBooleanField(fields, "revokeAcrossAllTenants");
      const linked = optionalBooleanField(fields, "revokeSessionsForLinkedAccounts");
      if (userId === undefined && (everywhere !== undefined || linked !== undefined))
        throw new InputError(
          "Invalid JSON input - revokeAcrossAllTenants and revokeSessionsForLinkedAccounts can only be set with userId",
        );
      const acrossTenants = version.tenants && (everywhere ?? true);
      const ended =
        userId === undefined
          ? await engine.revokeSessions((handles ?? []).filter((handle) => isReached(handle, tenantId)))
          : await engine.revokeAllForUser({ userId, tenantId, acrossTenants });
      return jsonReply({ status: "OK", sessionHandlesRevoked: ended });
    },

    async listSessions({ version, tenantId, query }) {
      const userId = queryParameter(query, "userId") as UserId;
      const acrossTenants =
        version.tenants && optionalQueryParameter(query, "fetchAcrossAllTenants")?.toLowerCase() !== "false";
      const sessionHandles = await engine.listSessionHandles({ userId, tenantId, acrossTenants });
      return jsonReply({ status: "OK", sessionHandles });
    },

    async getSessionData(call) {
      const session = await sessionOfQuery(call);
      return jsonReply(session === undefined ? NO_SESSION : { status: "OK", userDataInDatabase: session.data });
    },

    async updateSessionData(call) {
      const fields = readFields(call.body);
      const handle = stringField(fields, "sessionHandle");
      const data = objectField(fields, "userDataInDatabase");
      const isUpdated = (await reaches(call, handle)) && (await engine.updateSessionData(handle, data));
      return jsonReply(isUpdated ? { status: "OK" } : NO_SESSION);
    },

    async getPayload(call) {
      const session = await sessionOfQuery(call);
      return jsonReply(session === undefined ? NO_SESSION : { status: "OK", userDataInJWT: session.payload });
    },

    async updatePayload(call) {
      const fields = readFields(call.body);
      const handle = stringField(fields, "sessionHandle");
      const payload = objectField(fields, "userDataInJWT");
      const { tokenForm: form } = call.version;
      const changed = (await reaches(call, handle)) && (await engine.updatePayload(handle, payload, { form }));
      return jsonReply(changed ? { status: "OK" } : NO_SESSION);
    },
  } satisfies Partial<CdiHandlers>;
};

/** Whether a request under this tenant may name a session: under the default tenant it may name any. */
const isReached = (handle: string, tenantId: string): boolean =>
  tenantId === PUBLIC_TENANT || parseHandle(handle)?.tenantId === tenantId;
