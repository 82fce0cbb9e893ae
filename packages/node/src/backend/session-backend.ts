import type {
  AccessTokenClaims,
  AccessTokenForm,
  ActAsInput,
  AdoptSessionInput,
  AudienceRule,
  Changed,
  BindOutcome,
  BindSessionInput,
  CreateSessionInput,
  DeviceBinding,
  FormerSession,
  IssuedSession,
  JsonObject,
  KeySet,
  PayloadChange,
  RefreshSessionInput,
  RefusedOutcome,
  RegenerateOutcome,
  Revoked,
  SessionHandle,
  SessionInformation,
  SessionStanding,
  StepUpInput,
  ToldSession,
  UseReport,
  VerifyInput,
  VerifyOutcome,
} from "@pawl/engine";
import type { EndReason, Millis, Page, PageRequest, SigningAlgorithm, TenantId, UserId } from "@pawl/storage";
import type { Operation, SessionEvent } from "./operation.js";

/** What a backend is set to, as far as this SDK has to know. */
export interface BackendSettings {
  readonly cookieDomain?: string;
  readonly cookieSecure: boolean;
  readonly accessTokenPath: string;
  readonly refreshTokenPath: string;
  /** How long access tokens live. */
  readonly accessTokenValidity: Millis;
  readonly reuseWindow: Millis;
  /** How often the activity of a session is reported at most. */
  readonly activityInterval: Millis;
  readonly deviceBinding: DeviceBinding;
}

/** What came of a refresh. */
export type RefreshAnswer =
  | ({
      readonly kind: "refreshed";
      /** Whether this refresh made the new tokens: false for the repetition of an answer. */
      readonly minted: boolean;
    } & IssuedSession)
  /**
   * There is no such live session. Not an alarm. `isOurs`: whether a token was presented that was sealed here; `reason`:
   * why its session ended, where that is known.
   */
  | {
      readonly kind: "unauthorised";
      readonly message: string;
      readonly isOurs: boolean;
      readonly reason?: EndReason | undefined;
    }
  /** It is not for the session that the browser named. */
  | { readonly kind: "other_session" }
  /** A live session, bound to a key that did not prove this refresh. Not an alarm. */
  | {
      readonly kind: "unproven";
      readonly message: string;
      readonly session: { readonly handle: SessionHandle };
      /** What its key has to sign. */
      readonly challenge: string;
    }
  /** No honest client could have sent this token. */
  | { readonly kind: "token_reuse"; readonly session: { readonly handle: SessionHandle; readonly userId: UserId } };

/** Why this SDK ends sessions: the user wanted it, or the application; `revoked` unless given. */
interface RevokeReason {
  readonly reason: "logout" | "revoked" | "replaced";
}

/** What came of a logout token: how many sessions ended, or why it is none that is accepted. */
export type LogoutAnswer =
  | { readonly kind: "ended"; readonly ended: number }
  | { readonly kind: "refused"; readonly message: string };

/** A user of a tenant, which is `public` unless given. */
export interface TenantUser {
  readonly userId: UserId;
  readonly tenantId?: TenantId | undefined;
}

/** What became of a session. */
export interface SessionHistory {
  readonly handle: string;
  readonly status: "live" | "ended" | "unknown";
  readonly userId?: string;
  /** Times are ms since the epoch. */
  readonly createdAt?: number;
  readonly lastActiveAt?: number;
  readonly endedAt?: number;
  readonly reason?: EndReason;
  /** One sentence for a person. */
  readonly summary: string;
  /** Oldest first. */
  readonly events: readonly SessionEvent[];
}

/**
 * The one interface the SDK needs: the engine in process and the client of a core both implement it.
 * Outcomes are returned; a failure of store or network is thrown and is never an answer about a session.
 */
export interface SessionBackend {
  /** Another object once they have changed: a core may come back from a restart with other ones. */
  readonly settings: BackendSettings;
  /** What new access tokens are signed with, as far as it is known: it decides how long they are. */
  readonly signingAlgorithm: SigningAlgorithm;
  /** What access tokens of the form `pawl` have to name, if anything. */
  readonly audienceRule: AudienceRule | undefined;
  /** The time that decides the age of tokens. */
  now(): Millis;

  /** Answers at once where nothing has to be asked, which is the usual case. */
  verify(input: VerifyInput): VerifyOutcome | Promise<VerifyOutcome>;
  /** What an access token says, however old; undefined for one that is none of ours, or of a key that is gone. */
  claimsOf(accessToken: string): Promise<AccessTokenClaims | undefined>;
  /** Whether this process has learned, within one access token lifetime, that a session has ended. */
  knowsEnded(handle: SessionHandle): boolean;
  /** Whether this process has learned that a session has ended or changed since it was as an answer tells it. */
  isOvertaken(told: ToldSession): boolean;
  create(input: CreateSessionInput): Promise<IssuedSession>;
  refresh(input: RefreshSessionInput): Promise<RefreshAnswer>;
  /** Goes on with a session of another system, as a refresh would. */
  adopt(input: AdoptSessionInput): Promise<RefreshAnswer>;
  /** Ends the session that was, or would be, adopted. */
  refuseAdoption(input: FormerSession, cause?: RevokeReason): Promise<void>;
  /** Binds a session to the key of a browser's device. */
  bind(input: BindSessionInput): Promise<BindOutcome>;
  /** What the key of a bound session has to sign, where this process can say it without asking anybody. */
  challengeFor?(handle: SessionHandle): string;
  reportUses(uses: readonly UseReport[]): Promise<void>;

  /** @returns the handles that were live. */
  revoke(handles: readonly string[], cause?: RevokeReason): Promise<readonly SessionHandle[]>;
  /** @returns the handles that were live. */
  revokeUser(
    user: TenantUser & { readonly except?: SessionHandle | undefined },
    cause?: RevokeReason,
  ): Promise<readonly SessionHandle[]>;
  /** @returns the handles that were live. */
  revokeTenant(tenantId: TenantId, cause?: RevokeReason): Promise<readonly SessionHandle[]>;

  /** As `updateData`: with the payload and data of the session's owner, or those of whom he acts for. */
  /**
   * Ends the sessions of the logins that a logout token of an identity provider names (OpenID Connect Back-Channel Logout 1.0).
   * @throws SessionError `UNKNOWN` also where the keys of the identity provider cannot be had.
   */
  receiveLogout(logoutToken: string): Promise<LogoutAnswer>;

  get(handle: string, options?: { readonly as?: UserId | undefined }): Promise<SessionInformation | undefined>;
  /** How sessions stand, in the order of the handles; undefined for one that is not live. Moves nothing. */
  liveOf(handles: readonly string[]): Promise<readonly (SessionStanding | undefined)[]>;
  list(user: TenantUser, page: PageRequest): Promise<Page<SessionInformation>>;
  listHandles(userId: UserId): Promise<readonly SessionHandle[]>;
  /**
   * The data of the session's owner, or those that he acts for `as`.
   * @returns false when there is no such live session, or it does not speak for that user any more.
   */
  updateData(handle: string, data: JsonObject, options?: { readonly as?: UserId | undefined }): Promise<boolean>;
  /** The payload of the session's owner. @returns false when there is no such live session. */
  updatePayload(
    handle: string,
    payload: JsonObject,
    options?: PayloadChange & { readonly form?: AccessTokenForm | undefined },
  ): Promise<boolean>;
  /**
   * Replaces the payload of whomever the session speaks for, where one is given. The answer carries a new access token with
   * it, which ends when the one given does, unless that has expired.
   */
  regenerate(accessToken: string, payload?: JsonObject, change?: PayloadChange): Promise<RegenerateOutcome>;
  stepUp(accessToken: string, auth: StepUpInput): Promise<RegenerateOutcome | RefusedOutcome>;
  actAs(accessToken: string, input: ActAsInput): Promise<RegenerateOutcome | RefusedOutcome>;
  actAsSelf(accessToken: string): Promise<RegenerateOutcome>;
  explain(handle: string): Promise<SessionHistory>;

  /** What an operator asks and does. */
  readonly operation: Operation;

  /** The public keys that verify access tokens. */
  keySet(): Promise<KeySet>;
  /** Calls the listener for each revoked session this process learns of. Returns stop. */
  subscribe(listener: (revoked: Revoked) => void): () => void;
  /** Calls the listener for each announced change this process learns of; one may come twice. Returns stop. */
  subscribeToChanges(listener: (changed: Changed) => void): () => void;
  close(): Promise<void>;
}
