import type { Storage } from "@pawl/storage";
import { createAccessTokenVerifier } from "./verification/access-token-verifier.js";
import { createJwtIssue } from "./tokens/application-jwt.js";
import { createIssuer } from "./tokens/issuer.js";
import type { MasterKey } from "./keys/master-key.js";
import { createMasterKeyRing } from "./keys/master-key-ring.js";
import { type PolicyRules, policyWith } from "./policy.js";
import { type RandomSource, systemRandom } from "./random.js";
import { createRefresh } from "./rotation/refresh.js";
import { followFeeds } from "./revocation/feeds.js";
import { createRevocation } from "./revocation/revocation.js";
import type { SessionEngine } from "./session-engine.js";
import { createSessionCreation } from "./sessions/session-creation.js";
import { createSessionAccess } from "./sessions/session-access.js";
import { createSigningKeys } from "./keys/signing-keys.js";
import { createTokenChanges } from "./sessions/token-changes.js";
import { sweep } from "./sessions/sweep.js";
import { createTenants } from "./sessions/tenants.js";
import { createFreshKeys } from "./verification/fresh-keys.js";
import { createVerification } from "./verification/verification.js";

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
  const { storage, masterKeys, readMasterKeys, random = systemRandom } = options;
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
  const verifier = createAccessTokenVerifier({ clock: storage, accessTokenValidity, enableAntiCsrf });
  const signingKeys = await createSigningKeys({
    storage,
    masterKeys: ring,
    random,
    policy,
    onChange: (keys) => verifier.setKeys(keys),
  });
  await signingKeys.ensure(policy.signingAlgorithm, "dynamic");
  const issuer = createIssuer({ policy, seal, signingKeys });
  const feeds = await followFeeds({ storage, verifier, lifetime: accessTokenValidity });
  const { revocations, changes } = feeds;
  const revocation = createRevocation({ storage, marks: revocations });
  const withFreshKeys = createFreshKeys({ storage, signingKeys });
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
      revocation,
      marks: revocations,
      issuer,
    }),
    refreshSession: createRefresh({ policy, storage, ring, issuer, marks: revocations }),
    ...createVerification({ policy, storage, verifier, withFreshKeys, issuer }),
    ...revocation,
    tenants,
    ...createSessionAccess({ policy, storage, changes }),
    ...createTokenChanges({ policy, storage, verifier, withFreshKeys, issuer, changes }),

    listEvents: (selector, page) => storage.listEvents(selector, page),
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
    sweep: () => sweep(storage, policy),

    async close() {
      feeds.stop();
    },
  };
};
