import { activityInterval, type Policy } from "@pawl/engine";
import { openEngine } from "@pawl/engine/host";
import { type Clock, type EventRecord, PUBLIC_TENANT, type Storage } from "@pawl/storage";
import { warnOf } from "../application-hook.js";
import type { SessionBackend, SessionEvent } from "./session-backend.js";

export interface EmbeddedBackendOptions {
  /** A storage URL, or an open storage. */
  readonly storage: string | Storage;
  readonly policy: Policy;
  readonly masterKey?: string | undefined;
  readonly masterKeyFile?: string | undefined;
  readonly revocationLog?: string | undefined;
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
  const { storage, policy: rules, masterKeyFile, revocationLog, clock } = options;
  // Set to nothing counts as not set, as everywhere with environment variables.
  const fromEnvironment = process.env["PAWL_MASTER_KEY"] || undefined;
  const masterKey = options.masterKey ?? (masterKeyFile === undefined ? fromEnvironment : undefined);
  const { engine, close } = await openEngine({
    storage,
    policy: rules,
    onBackgroundError: warnOf,
    onWarning: warnOf,
    masterKey,
    masterKeyFile,
    revocationLog,
    clock,
  });
  const { policy, verifier } = engine;

  return {
    settings: {
      ...EMBEDDED_COOKIES,
      reuseWindow: policy.reuseWindow,
      activityInterval: activityInterval(policy),
    },
    signingAlgorithm: policy.signingAlgorithm,
    now: () => engine.storage.now(),

    verify(input) {
      if (policy.checkDatabase) return engine.verifyAccessToken(input);
      const outcome = verifier.verify(input);
      return outcome.kind === "try_refresh" && outcome.why === "unknown_key"
        ? engine.verifyAccessToken(input)
        : outcome;
    },
    knowsEnded: (handle) => verifier.isRevoked(handle),
    isOvertaken: (told) => verifier.isOvertaken(told),
    create: (input) => engine.createSession(input),
    async refresh(input) {
      const outcome = await engine.refreshSession(input);
      return outcome.kind === "unauthorised" ? { ...outcome, isOurs: outcome.why !== "invalid_token" } : outcome;
    },
    reportUses: (uses) => engine.reportUses(uses),

    revoke: (handles, cause) => engine.revokeSessions(handles.map(asText), cause),
    revokeUser: (user, cause) => engine.revokeAllForUser(user, cause),
    revokeTenant: (tenantId, cause) => engine.revokeTenant(tenantId, cause),

    get: (handle) => engine.getSession(asText(handle)),
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

    keySet: async () => engine.keySet(),
    subscribe: (listener) => engine.revocations.subscribe(listener),
    close,
  };
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
