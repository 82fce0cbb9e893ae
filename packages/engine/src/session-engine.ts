import type { BindOutcome, BindSessionInput } from "./binding/binding.js";
import type {
  EventRecord,
  EventSelector,
  Millis,
  FeedCursor,
  Page,
  PageRequest,
  SessionSelector,
  SigningAlgorithm,
  SigningKeyKind,
  Storage,
  TenantId,
  UserId,
} from "@pawl/storage";
import type { AccessTokenVerifier } from "./verification/access-token-verifier.js";
import type { JwtInput } from "./tokens/application-jwt.js";
import type { Count, CountRange } from "./counts/list-counts.js";
import type { LiveSessions } from "./counts/live-count.js";
import type { KeySet, PublicSigningKey, SigningKeyInformation } from "./keys/key-set.js";
import type { Policy } from "./policy.js";
import type { Changed, ChangedPage, ChangeFeed } from "./revocation/change-feed.js";
import type { RevocationFeed, RevokedPage } from "./revocation/revocation-feed.js";
import type {
  AccessTokenClaims,
  AccessTokenForm,
  ActAsInput,
  ConfirmInput,
  ConfirmOutcome,
  CreateSessionInput,
  IntrospectOutcome,
  IssuedSession,
  JsonObject,
  PayloadChange,
  ProviderLogin,
  RefreshOutcome,
  RefreshSessionInput,
  RefusedOutcome,
  RegenerateOutcome,
  SessionExplanation,
  SessionHandle,
  SessionInformation,
  SessionStanding,
  StepUpInput,
  VerifyInput,
  VerifyOutcome,
  RevokeCause,
} from "./session.js";
import type { AdoptSessionInput, FormerSession } from "./sessions/former-session.js";
import type { Swept } from "./sessions/sweep.js";
import type { Tenants } from "./sessions/tenants.js";

/** A user of the tenant `public`, of another one, or (whatever `tenantId` says) of every tenant. */
export interface UserOfTenant {
  readonly userId: UserId;
  readonly tenantId?: TenantId | undefined;
  readonly acrossTenants?: boolean | undefined;
}

/** Logins at an identity provider, as it names them: at least one of `subject` and `sessionId`. */
export interface ProviderLogins extends Pick<ProviderLogin, "issuer"> {
  readonly subject?: string | undefined;
  readonly sessionId?: string | undefined;
  /** `public` unless given: sessions of other tenants stay. */
  readonly tenantId?: TenantId | undefined;
  /** Whether those of all tenants end, whatever `tenantId` says. */
  readonly acrossTenants?: boolean | undefined;
  /** Sessions created after that time stay, unless they are of the login `sessionId`. */
  readonly until?: Millis | undefined;
}

/** Names one seen use of an access token: handle, sequence number, and when the token was issued. */
export type UseReport = Pick<AccessTokenClaims, "handle" | "seq" | "issuedAt">;

/**
 * All decisions about sessions. Never sees a request; failures of the store are thrown as `StorageError`, misuse as
 * `EngineError`, everything that can happen to an honest caller is returned.
 */
export interface SessionEngine {
  readonly policy: Policy;
  readonly storage: Storage;
  /** Verifies without I/O: signature, times, revocation feed. */
  readonly verifier: AccessTokenVerifier;

  /**
   * @throws EngineError `invalid_input` for a bad user id (1 to 512 bytes of UTF-8 without U+0000), tenant id, or a payload
   * that is no plain object; `protected_claim`, `tenant_unknown`; `payload_too_large` above 32 KiB of payload or 1 MiB of data.
   */
  createSession(input: CreateSessionInput): Promise<IssuedSession>;
  /**
   * Goes on with a session of another system. Whatever names it stands for the first refresh token of one session here, always
   * the same: to adopt is to refresh by that token, and to come with it when its successor is in use is a theft. A session that
   * has ended is not adopted again before `until`.
   * @throws EngineError as `createSession`; `master_key_missing` where another process has a master key that this one has not.
   */
  adoptSession(input: AdoptSessionInput): Promise<RefreshOutcome>;
  /** Ends the session that was, or would be, adopted, so that it is not before `until`. */
  refuseAdoption(input: FormerSession, cause?: RevokeCause): Promise<void>;
  /** @throws EngineError `invalid_input` for more other refresh tokens than are taken, and for an unknown form. */
  refreshSession(input: RefreshSessionInput): Promise<RefreshOutcome>;
  /**
   * Binds a session to a key of a browser's device, once: only the challenge of a login or a step-up does it, and only until
   * the session is refreshed. From then on each refresh has to prove the key. The answer is to reach the browser whole; where
   * it gets lost, the refresh token from before shows it, and the session goes on without a key.
   * @throws EngineError `invalid_input` as `refreshSession`.
   */
  bindSession(input: BindSessionInput): Promise<BindOutcome>;
  /** What the key of a bound session has to sign for a refresh; valid for 5 minutes. @throws EngineError `invalid_input` for what is no handle. */
  challengeFor(handle: SessionHandle): string;
  /** As `verifier.verify`; reloads keys once for an unknown `kid`, and asks the database when policy or input say so. */
  verifyAccessToken(input: VerifyInput): Promise<VerifyOutcome>;
  /**
   * Whether a token is good now, by the store's word: as `verifyAccessToken` that asks the database. A refresh token is good
   * only for a caller who admits such: others would take it for an access token that lives for months, and whoever stole it
   * would never have to rotate it. It is not moved, and one that was replaced is no alarm here.
   */
  introspectToken(
    token: string,
    options?: { readonly admitsRefreshTokens?: boolean | undefined },
  ): Promise<IntrospectOutcome>;
  /**
   * For protocols in which the SDK asks before it accepts a token with a parent: reports the use at once; when the
   * token's refresh token is (now) the current one the answer carries a clean token without parent and with the same
   * expiry. Does not look at the revocation feed unless `heedRevocations`; a missing session is `unauthorised` only for
   * a token with a parent, or with `checkDatabase`, as the CDI says.
   */
  confirmAccessToken(input: ConfirmInput): Promise<ConfirmOutcome>;
  /**
   * New access token with the stored (or given, then stored) payload and the old expiry; checks the signature, ignores the
   * expiry. While acting, the payload is that of the user who is acted for.
   */
  regenerateAccessToken(accessToken: string, payload?: JsonObject, change?: PayloadChange): Promise<RegenerateOutcome>;
  /**
   * The user has authenticated again: notes it, has verifiers refuse older access tokens, and gives a new one with the old
   * expiry. Same session, same refresh token.
   * @throws EngineError `invalid_input` for methods or a level that no claim or header could carry.
   */
  stepUp(accessToken: string, auth: StepUpInput): Promise<RegenerateOutcome | RefusedOutcome>;
  /**
   * From now on the session speaks for another user of its tenant, until its time is over, `actAsSelf`, or its end. Refresh
   * tokens, device and theft stay its owner's. Whether he may is the application's to decide, before it calls.
   * @throws EngineError `invalid_input` (also for a token of another form than `pawl`, for none other says it),
   * `protected_claim`, `payload_too_large`.
   */
  actAs(accessToken: string, input: ActAsInput): Promise<RegenerateOutcome | RefusedOutcome>;
  /** Ends acting; without effect where nobody acts. The new access token is the owner's own. */
  actAsSelf(accessToken: string): Promise<RegenerateOutcome>;
  /** Confirms uses in a batch; never alarms. */
  reportUses(uses: readonly UseReport[]): Promise<void>;

  /** @returns the handles that were live. The verifier here refuses them before the promise resolves. */
  revokeSessions(handles: readonly string[], cause?: RevokeCause): Promise<readonly SessionHandle[]>;
  /**
   * Ends the session of an access token within its time, or of a refresh token, a replaced one too; no alarm.
   * @returns `nothing` where there was no live session, `unsupported` for a JWT of the application, which nobody can end.
   */
  revokeToken(token: string, cause?: RevokeCause): Promise<"ended" | "nothing" | "unsupported">;
  /** @throws EngineError `invalid_input` also when `except` is no handle of such a tenant: a typing error must not end it. */
  revokeAllForUser(
    user: UserOfTenant & { readonly except?: SessionHandle | undefined },
    cause?: RevokeCause,
  ): Promise<readonly SessionHandle[]>;
  /**
   * Ends what came of logins at an identity provider (reason `identity_provider`): the sessions of the login `sessionId`, or
   * of all logins of `subject`; with both, those of that login if it is that user's, and those of that user that no login is known of.
   * @returns the handles that were live.
   */
  revokeLogins(logins: ProviderLogins): Promise<readonly SessionHandle[]>;
  /** In steps; who logs in meanwhile ends too, unless after the last step. */
  revokeTenant(tenantId: TenantId, cause?: RevokeCause): Promise<readonly SessionHandle[]>;
  /** As `revokeTenant`, at most `limit` of them: for a caller who shows how far it has come. */
  revokeSomeOfTenant(tenantId: TenantId, page: PageRequest, cause?: RevokeCause): Promise<Page<SessionHandle>>;

  /** @param options.as as `updateSessionData`: whose payload and data are meant. @returns undefined where that gives false. */
  getSession(handle: string, options?: { readonly as?: UserId | undefined }): Promise<SessionInformation | undefined>;
  listSessions(
    selector: Pick<SessionSelector, "tenantId" | "userId">,
    page: PageRequest,
  ): Promise<Page<SessionInformation>>;
  /** How sessions stand, in the order of the handles; undefined for one that is not live. Moves nothing. */
  liveOf(handles: readonly string[]): Promise<readonly (SessionStanding | undefined)[]>;
  /** All handles of a user's live sessions; of the tenant `public` unless another is given. */
  listSessionHandles(user: UserOfTenant): Promise<readonly SessionHandle[]>;
  /**
   * @param options.as whose data is meant: the owner's unless given, or those of the user he acts for.
   * @returns false when there is no such live session, or it does not speak for that user any more.
   */
  updateSessionData(handle: string, data: JsonObject, options?: { readonly as?: UserId | undefined }): Promise<boolean>;
  /**
   * Changes the payload of the session's owner. Verifiers refuse older access tokens as soon as they hear of it, so that their
   * holders refresh; nobody is logged out. Where he acts for another user, another payload ends that: what allowed it may be
   * gone.
   * @returns undefined when there is no such live session, or not in the expected version.
   * @throws EngineError `protected_claim` for a claim that is a token's own in `form`, which is `v5` unless given.
   */
  updatePayload(
    handle: string,
    payload: JsonObject,
    options?: PayloadChange & { readonly form?: AccessTokenForm | undefined },
  ): Promise<Changed | undefined>;
  explainSession(handle: string): Promise<SessionExplanation>;
  listEvents(selector: EventSelector, page: PageRequest): Promise<Page<EventRecord>>;
  /**
   * How often what happened, per hour or day; what other nodes counted in the last 20 s may not be there yet.
   * @throws EngineError `invalid_input` for more than 1000 steps.
   */
  listCounts(range: CountRange): Promise<readonly Count[]>;
  /** How many sessions are live, without counting them now. @returns undefined until they were counted once. */
  countLiveSessions(): Promise<LiveSessions | undefined>;

  /** The public keys that verify access tokens; `algorithm` narrows. JWK set of RFC 7517 section 5. */
  keySet(algorithm?: SigningAlgorithm): KeySet;
  /** The published keys of one algorithm and kind with their public halves, newest first; the first key is made. */
  publishedSigningKeys(algorithm: SigningAlgorithm, kind: SigningKeyKind): Promise<readonly PublicSigningKey[]>;
  /** When the next dynamic key of an algorithm will be published, unless it is rotated before. */
  nextSigningKeyAt(algorithm: SigningAlgorithm): Millis;
  listSigningKeys(): readonly SigningKeyInformation[];
  /** Adds a dynamic key that takes over after the publication lead; the old ones stay published. */
  rotateSigningKey(algorithm?: SigningAlgorithm): Promise<SigningKeyInformation>;
  /**
   * Reads the master keys anew where they stand in a file, and which one seals.
   * @throws EngineError `master_key_missing` when the store needs one that was not given; those known before stay in use.
   */
  maintainMasterKeys(): Promise<void>;
  /** Reloads keys, creates those that are due, seals them with the master key that seals, removes those no token can need. */
  maintainSigningKeys(): Promise<void>;
  /** Writes what was counted in this process, and counts live sessions where that is due. */
  maintainCounts(): Promise<void>;
  /** One round of deleting what is over, in small batches. @returns how many of each. */
  sweep(): Promise<Swept>;

  /**
   * Signs a JWT for the application's own use, which no verifier here takes for a session's.
   * @throws EngineError `protected_claim` for what only sessions' tokens claim; `invalid_input`, `payload_too_large`.
   */
  issueJwt(input: JwtInput): Promise<string>;

  readonly tenants: Tenants;

  /** Follows the store's revocations into the verifier, and to further listeners. */
  readonly revocations: RevocationFeed;
  /**
   * A page of the feed for a reader that follows it elsewhere; from one access token lifetime ago without a cursor, or
   * with one that the store does not know any more. Handles may repeat.
   */
  revocationsSince(from: { readonly cursor: FeedCursor } | undefined): Promise<RevokedPage>;

  /** Follows the store's announced changes into the verifier, and to further listeners; `revocations.catchUp` reads both. */
  readonly changes: ChangeFeed;
  /** As `revocationsSince`, the announced changes. */
  changesSince(from: { readonly cursor: FeedCursor } | undefined): Promise<ChangedPage>;

  /** Stops following revocations and writes what was counted: the engine must not be used any more. Does not close the storage. */
  close(): Promise<void>;
}
