import {
  activityInterval,
  audienceRuleOf,
  type IdentityProvider,
  type Policy,
  type RefreshOutcome,
  type Webhook,
} from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import type { ReceiveLogout } from "@pawl/engine/identity-provider";
import { createTelemetry } from "@pawl/engine/telemetry";
import { type Clock, type EventRecord, PUBLIC_TENANT, type Storage } from "@pawl/storage";
import { warnOf, warnOfLostChanges } from "../application-hook.js";
import { SessionError } from "../session-error.js";
import { createEmbeddedOperation } from "./embedded-operation.js";
import type { SessionEvent } from "./operation.js";
import type { RefreshAnswer, SessionBackend } from "./session-backend.js";

export interface EmbeddedBackendOptions {
  /** A storage URL, or an open storage. */
  readonly storage: string | Storage;
  readonly policy: Policy;
  readonly masterKey?: string | undefined;
  readonly masterKeyFile?: string | undefined;
  readonly revocationLog?: string | undefined;
  readonly identityProviders?: readonly IdentityProvider[] | undefined;
  readonly webhooks?: readonly Webhook[] | undefined;
  readonly clock?: Clock | undefined;
}

/** What the documented cookies are set to where no core says so. */
export const EMBEDDED_COOKIES = {
  cookieSecure: true,
  accessTokenPath: "/",
  refreshTokenPath: "/session/refresh",
} as const;

/**
 * The engine in this process.
 * @throws StorageError or EngineError when it cannot be opened.
 */
export const openEmbeddedBackend = async (options: EmbeddedBackendOptions): Promise<SessionBackend> => {
  const { storage, policy: rules, masterKeyFile, revocationLog, identityProviders: providers = [], clock } = options;
  // Set to nothing counts as not set, as everywhere with environment variables.
  const fromEnvironment = process.env["PAWL_MASTER_KEY"] || undefined;
  const masterKey = options.masterKey ?? (masterKeyFile === undefined ? fromEnvironment : undefined);
  const telemetry = createTelemetry();
  const { engine, close } = await openEngine({
    storage,
    telemetry,
    policy: rules,
    onBackgroundError: warnOf,
    onWarning: warnOf,
    onChangesLost: warnOfLostChanges,
    masterKey,
    masterKeyFile,
    revocationLog,
    webhooks: options.webhooks,
    clock,
  }).catch((error: unknown) => {
    telemetry.close();
    throw error;
  });
  const { policy, verifier } = engine;
  // Loaded where it is wanted, with the library that verifies what others have signed.
  const loadReceiver = async (): Promise<ReceiveLogout> =>
    (await import("@pawl/engine/identity-provider")).createLogoutReceiver({ engine, providers });
  let receiver: Promise<ReceiveLogout> | undefined;

  return {
    settings: {
      ...EMBEDDED_COOKIES,
      accessTokenValidity: policy.accessTokenValidity,
      reuseWindow: policy.reuseWindow,
      activityInterval: activityInterval(policy),
      deviceBinding: policy.deviceBinding,
    },
    signingAlgorithm: policy.signingAlgorithm,
    audienceRule: audienceRuleOf(policy),
    now: () => engine.storage.now(),

    verify(input) {
      if (policy.checkDatabase) return engine.verifyAccessToken(input);
      const outcome = verifier.verify(input);
      return outcome.kind === "try_refresh" && outcome.why === "unknown_key"
        ? engine.verifyAccessToken(input)
        : outcome;
    },
    async claimsOf(accessToken) {
      let authentic = verifier.authenticate(accessToken);
      if (authentic.kind === "try_refresh" && authentic.why === "unknown_key") {
        await engine.verifyAccessToken({ accessToken });
        authentic = verifier.authenticate(accessToken);
      }
      return authentic.kind === "authentic" ? authentic.claims : undefined;
    },
    knowsEnded: (handle) => verifier.isRevoked(handle),
    isOvertaken: (told) => verifier.isOvertaken(told),
    create: (input) => engine.createSession(input),
    refresh: async (input) => refreshAnswer(await engine.refreshSession(input)),
    adopt: async (input) => refreshAnswer(await engine.adoptSession(input)),
    refuseAdoption: (input, cause) => engine.refuseAdoption(input, cause),
    bind: (input) => engine.bindSession(input),
    challengeFor: (handle) => engine.challengeFor(handle),
    reportUses: (uses) => engine.reportUses(uses),

    revoke: (handles, cause) => engine.revokeSessions(handles.map(asText), cause),
    revokeUser: (user, cause) => engine.revokeAllForUser(user, cause),
    revokeTenant: (tenantId, cause) => engine.revokeTenant(tenantId, cause),

    async receiveLogout(logoutToken) {
      const outcome = await (await (receiver ??= loadReceiver()))(logoutToken);
      if (outcome.kind === "unknown") throw new SessionError("UNKNOWN", outcome.message, { cause: outcome.cause });
      return outcome.kind === "ended" ? { kind: "ended", ended: outcome.ended.length } : outcome;
    },

    get: (handle, options) => engine.getSession(asText(handle), options),
    liveOf: (handles) => engine.liveOf(handles.map(asText)),
    list: ({ userId, tenantId = PUBLIC_TENANT }, page) => engine.listSessions({ userId, tenantId }, page),
    listHandles: (userId) => engine.listSessionHandles({ userId }),
    updateData: (handle, data, options) => engine.updateSessionData(asText(handle), data, options),
    updatePayload: async (handle, payload, options) =>
      (await engine.updatePayload(asText(handle), payload, options)) !== undefined,
    regenerate: (accessToken, payload, change) => engine.regenerateAccessToken(accessToken, payload, change),
    stepUp: (accessToken, auth) => engine.stepUp(accessToken, auth),
    actAs: (accessToken, input) => engine.actAs(accessToken, input),
    actAsSelf: (accessToken) => engine.actAsSelf(accessToken),
    async explain(handle) {
      const { events, ...history } = await engine.explainSession(asText(handle));
      return { ...history, events: events.map(sessionEvent) };
    },

    operation: createEmbeddedOperation(engine, options.webhooks),

    keySet: async () => engine.keySet(),
    subscribe: (listener) => engine.revocations.subscribe(listener),
    subscribeToChanges: (listener) => engine.changes.subscribe(listener),
    async close() {
      telemetry.close();
      await close();
    },
  };
};

const refreshAnswer = (outcome: RefreshOutcome): RefreshAnswer => {
  if (outcome.kind === "unauthorised" && outcome.why === "other_session") return { kind: outcome.why };
  return outcome.kind === "unauthorised" ? { ...outcome, isOurs: outcome.why !== "invalid_token" } : outcome;
};

/** Without types a handle may be anything: what is no text names no session, not even an array that holds a handle. */
const asText = (handle: unknown): string => (typeof handle === "string" ? handle : "");

const sessionEvent = ({ at, type, reason, detail, count }: EventRecord): SessionEvent => ({
  at,
  type,
  ...(reason === undefined ? {} : { reason }),
  ...(detail === undefined ? {} : { detail: JSON.parse(detail) as unknown }),
  count,
});
