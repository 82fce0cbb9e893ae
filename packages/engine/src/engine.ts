import type { Storage } from "@pawl/storage";
import { createChallenges } from "./binding/challenges.js";
import { createRegistration } from "./binding/registration.js";
import { EngineError } from "./errors.js";
import { createAccessTokenVerifier } from "./verification/access-token-verifier.js";
import { createJwtIssue } from "./tokens/application-jwt.js";
import { audienceRuleOf } from "./tokens/audience-rule.js";
import { createLossReports } from "./loss-reports.js";
import { createIssuer } from "./tokens/issuer.js";
import type { MasterKey } from "./keys/master-key.js";
import { createMasterKeyRing } from "./keys/master-key-ring.js";
import { type PolicyRules, policyWith } from "./policy.js";
import { type RandomSource, systemRandom } from "./random.js";
import { createImportedTokens } from "./imported/imported-tokens.js";
import { createTokenOpener } from "./rotation/opened-tokens.js";
import { createRefresh } from "./rotation/refresh.js";
import { createRefreshPreview } from "./rotation/refresh-preview.js";
import { createTheftAction } from "./rotation/theft-action.js";
import { parseHandle } from "./session-handle.js";
import { followFeeds } from "./revocation/feeds.js";
import { createRevocation } from "./revocation/revocation.js";
import type { RevocationMarks } from "./revocation/revocation-feed.js";
import { createTokenRevocation } from "./revocation/token-revocation.js";
import type { SessionEngine } from "./session-engine.js";
import { createSessionAdoption } from "./sessions/session-adoption.js";
import { createSessionCreation } from "./sessions/session-creation.js";
import { createSessionAccess } from "./sessions/session-access.js";
import { createSigningKeys } from "./keys/signing-keys.js";
import { createTokenChanges } from "./sessions/token-changes.js";
import { sweep } from "./sessions/sweep.js";
import { createTenants } from "./sessions/tenants.js";
import { createFreshKeys } from "./verification/fresh-keys.js";
import { createIntrospection } from "./verification/introspection.js";
import { createVerification } from "./verification/verification.js";
import { createCounts } from "./counts/counts.js";
import { listCounts } from "./counts/list-counts.js";
import { createLiveCount } from "./counts/live-count.js";

export interface EngineOptions {
  /** Migrated. Its clock is the engine's clock. */
  readonly storage: Storage;
  /** All decrypt; which one encrypts is a fact of the store: the first, in a new one. */
  readonly masterKeys: readonly MasterKey[];
  /** Reads the master keys anew, where they stand in a file. */
  readonly readMasterKeys?: (() => Promise<readonly MasterKey[]>) | undefined;
  /** Rules that differ from `defaultPolicy`. */
  readonly policy?: PolicyRules | undefined;
  /** The operating system's unless given. */
  readonly random?: RandomSource | undefined;
  /** Called at most once a minute, with how many announced changes of sessions the store turned out to have lost since. */
  readonly onChangesLost?: ((count: number) => void) | undefined;
}

/**
 * Puts an engine together over a storage: checks the master keys against it, loads or makes the signing keys, and reads
 * what was revoked or changed within one access token lifetime. Nothing runs by itself but the following of both feeds:
 * `startMaintenance` does the rest.
 * @throws EngineError `invalid_input` for a bad policy, `master_key_missing`, `master_key_wrong`, `signing_key_corrupt`.
 * @example
 * const engine = await createEngine({ storage, masterKeys: parseMasterKeys(process.env.PAWL_MASTER_KEY) });
 * const stop = startMaintenance({ engine });
 */
export const createEngine = async (options: EngineOptions): Promise<SessionEngine> => {
  const { storage, masterKeys, readMasterKeys, random = systemRandom, onChangesLost = () => undefined } = options;
  const policy = policyWith(options.policy);
  const { accessTokenValidity, refreshTokenValidity, enableAntiCsrf } = policy;

  const ring = await createMasterKeyRing({
    storage,
    masterKeys,
    refreshTokenValidity,
    random,
    readMasterKeys,
  });
  const seal = ring.refreshTokens;
  const openTokens = createTokenOpener(ring, createImportedTokens({ policy, storage, ring }));
  const verifier = createAccessTokenVerifier({
    clock: storage,
    accessTokenValidity,
    enableAntiCsrf,
    audienceRule: audienceRuleOf(policy),
    onVersionLost: createLossReports(storage, onChangesLost),
  });
  const signingKeys = await createSigningKeys({
    storage,
    masterKeys: ring,
    random,
    policy,
    onChange: (keys) => verifier.setKeys(keys),
  });
  await signingKeys.ensure(policy.signingAlgorithm, "dynamic");
  const issuer = createIssuer({ policy, seal, signingKeys, random });
  const challenges = createChallenges(ring, storage);
  const feeds = await followFeeds({ storage, verifier, lifetime: accessTokenValidity });
  const { revocations, changes } = feeds;
  const live = createLiveCount(storage);
  const counts = createCounts(storage, live);
  const marks: RevocationMarks = {
    mark(sessions, end) {
      if (sessions.length > 0) counts.addEnds(sessions, end.reason);
      return revocations.mark(sessions, end);
    },
  };
  const { revokeAfterTheft, revokeSurplus, ...revocation } = createRevocation({ storage, marks });
  const theftAction = createTheftAction({ policy, storage, marks, counts, revokeAfterTheft });
  const { refreshSession, presentClaims } = createRefresh({
    policy,
    storage,
    openTokens,
    issuer,
    theftAction,
    challenges,
    counts,
  });
  const withFreshKeys = createFreshKeys({ storage, signingKeys });
  const verification = createVerification({ policy, storage, verifier, withFreshKeys, issuer });
  const previewRefresh = createRefreshPreview({ policy, storage, openTokens });
  const tenants = createTenants({
    storage,
    endSessions: (tenantId) => revocation.revokeTenant(tenantId, { detail: "tenant removed" }),
  });

  return {
    policy,
    storage,
    verifier,
    revocations,
    changes,

    createSession: createSessionCreation({
      policy,
      storage,
      random,
      tenants,
      revocation: { ...revocation, revokeSurplus },
      marks,
      issuer,
      challenges,
      counts,
    }),
    refreshSession,
    ...createSessionAdoption({
      policy,
      storage,
      random,
      ring,
      revocation: { ...revocation, revokeSurplus },
      presentClaims,
      counts,
    }),
    bindSession: createRegistration({ policy, storage, openTokens, issuer, challenges, counts }),
    challengeFor(handle) {
      const named = parseHandle(handle);
      if (named === undefined) throw new EngineError("invalid_input", "this is no handle of a session");
      return challenges.toRefresh(named.id);
    },
    ...verification,
    introspectToken: createIntrospection({ ...verification, previewRefresh }),
    ...revocation,
    revokeToken: createTokenRevocation({
      ...revocation,
      verifier,
      withFreshKeys,
      previewRefresh,
      verificationKeys: () => signingKeys.verificationKeys(),
    }),
    tenants,
    ...createSessionAccess({ policy, storage, changes }),
    ...createTokenChanges({ policy, storage, verifier, withFreshKeys, issuer, changes, challenges, counts }),

    listEvents: (selector, page) => storage.listEvents(selector, page),
    async listCounts(range) {
      await counts.flush();
      return listCounts(storage, range);
    },
    async countLiveSessions() {
      await counts.flush();
      return live.read();
    },
    revocationsSince: (from) => revocations.readSince(from),
    changesSince: (from) => changes.readSince(from),

    keySet: (algorithm) => signingKeys.keySet(algorithm),
    listSigningKeys: () => signingKeys.list(),
    async publishedSigningKeys(algorithm, kind) {
      await issuer.signer(algorithm, kind, storage.now());
      return signingKeys.published(algorithm, kind);
    },
    nextSigningKeyAt: (algorithm) => signingKeys.nextAt(algorithm),
    issueJwt: createJwtIssue({ storage, issuer }),
    rotateSigningKey: (algorithm = policy.signingAlgorithm) => signingKeys.rotate(algorithm),
    maintainMasterKeys: () => ring.reload(),
    maintainSigningKeys: () => signingKeys.maintain(),
    async maintainCounts() {
      await counts.flush();
      await live.countSome();
    },
    sweep: () => sweep(storage, policy, counts),

    async close() {
      feeds.stop();
      // Without a store there is nothing to write them to, and whoever closes has to come to an end.
      await counts.flush().catch(() => undefined);
    },
  };
};
