import type {
  AccessTokenForm,
  ActAsInput,
  CreateSessionInput,
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
  StepUpInput,
  ToldSession,
  UseReport,
  VerifyInput,
  VerifyOutcome,
} from "@pawl/engine";
import type {
  EndReason,
  EventType,
  Millis,
  Page,
  PageRequest,
  SigningAlgorithm,
  TenantId,
  UserId,
} from "@pawl/storage";

/** What a backend is set to, as far as this SDK has to know. */
export interface BackendSettings {
  readonly cookieDomain?: string;
  readonly cookieSecure: boolean;
  readonly accessTokenPath: string;
  readonly refreshTokenPath: string;
  readonly reuseWindow: Millis;
  /** How often the activity of a session is reported at most. */
  readonly activityInterval: Millis;
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
  /** No honest client could have sent this token. */
  | { readonly kind: "token_reuse"; readonly session: { readonly handle: SessionHandle; readonly userId: UserId } };

/** Why this SDK ends sessions: the user wanted it, or the application; `revoked` unless given. */
interface RevokeReason {
  readonly reason: "logout" | "revoked" | "replaced";
}

/** A user of a tenant, which is `public` unless given. */
export interface TenantUser {
  readonly userId: UserId;
  readonly tenantId?: TenantId | undefined;
}

/** One line of what happened to a session. */
export interface SessionEvent {
  /** Ms since the epoch. */
  readonly at: number;
  readonly type: EventType;
  readonly reason?: EndReason;
  /** Further facts; never a token, hash or key. */
  readonly detail?: unknown;
  /** How often, where the like of it within an hour is counted instead of repeated. */
  readonly count: number;
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
  /** The time that decides the age of tokens. */
  now(): Millis;

  /** Answers at once where nothing has to be asked, which is the usual case. */
  verify(input: VerifyInput): VerifyOutcome | Promise<VerifyOutcome>;
  /** Whether this process has learned, within one access token lifetime, that a session has ended. */
  knowsEnded(handle: SessionHandle): boolean;
  /** Whether this process has learned that a session has ended or changed since it was as an answer tells it. */
  isOvertaken(told: ToldSession): boolean;
  create(input: CreateSessionInput): Promise<IssuedSession>;
  refresh(input: RefreshSessionInput): Promise<RefreshAnswer>;
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

  get(handle: string): Promise<SessionInformation | undefined>;
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
   * Replaces the payload of whomever the session speaks for. The answer carries a new access token with it, unless the one
   * given has expired.
   */
  regenerate(accessToken: string, payload: JsonObject, change?: PayloadChange): Promise<RegenerateOutcome>;
  stepUp(accessToken: string, auth: StepUpInput): Promise<RegenerateOutcome | RefusedOutcome>;
  actAs(accessToken: string, input: ActAsInput): Promise<RegenerateOutcome | RefusedOutcome>;
  actAsSelf(accessToken: string): Promise<RegenerateOutcome>;
  explain(handle: string): Promise<SessionHistory>;

  /** The public keys that verify access tokens. */
  keySet(): Promise<KeySet>;
  /** Calls the listener for each revoked session this process learns of. Returns stop. */
  subscribe(listener: (revoked: Revoked) => void): () => void;
  close(): Promise<void>;
}
