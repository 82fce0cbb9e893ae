import type { Actor, Authentication, JsonObject, SessionHandle, SessionInformation } from "@pawl/engine";
import type { Exchange } from "./http/exchange.js";
import type { TokenTransfer } from "./http/token-transfer.js";
import type { EndReason, TenantId, UserId } from "@pawl/storage";
import type { Duration } from "./options/option.js";
import { guardPayload, type Misfit } from "./sessions/schema.js";
import type { Given, GivenOrLoaded } from "./session-input.js";

/**
 * A live session of the request that is being served. What changes in it (payload, step-up, acting) is changed in this
 * object too, and its answer carries a new access token.
 */
export interface Session<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
  PayloadInput extends object = Payload,
  DataInput extends object = Data,
> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  /**
   * What the access token carries. Requests share it, so it is frozen. Reading one that does not fit the schema throws
   * SessionError `UNKNOWN`; all else works.
   */
  readonly payload: Payload;
  /** How often the session had been changed when the access token was made. */
  readonly payloadVersion: number;
  /**
   * When and how the user has last authenticated in this session; while somebody acts for a user, how they themselves have.
   * Absent in an access token of the documented API, which does not say it.
   */
  readonly auth?: Authentication | undefined;
  /** Who acts for `userId`: it is their session. Absent where nobody does. */
  readonly actor?: Actor | undefined;
  /** Of the access token, ms since the epoch. */
  readonly issuedAt: number;
  /** Of the access token, ms since the epoch; the session itself lives on by being refreshed. */
  readonly expiresAt: number;

  /** What only the server knows of the session. @throws SessionError `UNAUTHORISED` when it has ended. */
  getData(): Promise<Data>;
  /** Replaces the data. @throws SessionError `UNAUTHORISED` when the session has ended. */
  setData(data: DataInput): Promise<void>;
  /**
   * Replaces the payload; this answer carries a new access token with it.
   * @throws SessionError `UNAUTHORISED`; `TRY_REFRESH` where it was changed since this one was read: nothing is written then.
   */
  updatePayload(payload: PayloadInput): Promise<void>;
  /** Logs out: ends the session and clears its cookies. */
  end(reason?: EndReasonOfApplication): Promise<void>;
  /** Ends all other sessions of this user. @returns how many. @throws SessionError `FORBIDDEN` while acting. */
  endOthers(): Promise<number>;
  /** The user's live sessions, as for a page "where you are logged in". @throws SessionError `FORBIDDEN` while acting. */
  list(): Promise<readonly ListedSession<Payload, Data>[]>;

  /**
   * Notes that the user has just authenticated again, which the application has seen to. Older access tokens of the session
   * are refused from now on; it stays the same session.
   * @throws SessionError `UNAUTHORISED`; `TRY_REFRESH` where another request has just changed the session; `FORBIDDEN` while acting.
   */
  stepUp(auth: StepUp): Promise<void>;
  /**
   * From now on this session speaks for another user of its tenant, until `for` is over, `actAsSelf()` or its end. Whether
   * that is allowed is the application's to decide, before it calls.
   * @throws SessionError as `stepUp`; TypeError for an input that cannot be right, and for oneself.
   * @example
   * await session.actAs({ userId: "alice", payload: { role: "user" }, reason: "ticket 4711" });
   */
  actAs(user: ActAs<PayloadInput, DataInput>): Promise<void>;
  /** Ends acting; does nothing where nobody acts. @throws SessionError `UNAUTHORISED`, `TRY_REFRESH`. */
  actAsSelf(): Promise<void>;
}

/** How a user has authenticated again. */
export interface StepUp {
  /** By the names of RFC 8176, such as `pwd`, `otp`, `hwk`. */
  readonly methods?: readonly string[] | undefined;
  /** How sure that is (`acr`), in the words of the application or its identity provider. */
  readonly level?: string | undefined;
}

/** Whom to act for. The payload may be left out where the option `loadPayload` says it. */
export type ActAs<PayloadInput extends object, DataInput extends object> = {
  readonly userId: string;
  /** Why, for the audit trail: 1 to 512 bytes. */
  readonly reason: string;
  /** For how long; 15 minutes unless given, and an hour at most unless the engine's rules allow more. */
  readonly for?: Duration | undefined;
} & GivenOrLoaded<"payload", PayloadInput> &
  Given<"data", DataInput>;

/** Why an application ends a session. */
export type EndReasonOfApplication = Extract<EndReason, "logout" | "revoked">;

/** One of a user's sessions. Times are ms since the epoch. */
export interface ListedSession<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
> extends SessionInformation<Payload, Data> {
  /** Whether it is the session that lists. */
  readonly current: boolean;
}

/** What an access token, or the answer of a refresh, says of a session. */
interface SessionFacts {
  readonly userId: UserId;
  readonly handle: SessionHandle;
  readonly tenantId: TenantId;
  readonly payload: JsonObject;
  readonly payloadVersion: number;
  readonly auth?: Authentication | undefined;
  readonly actor?: Actor | undefined;
  readonly bound?: true | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The session of a request, for what can be done with it. */
export interface SessionContext {
  readonly exchange: Exchange;
  readonly facts: SessionFacts;
  readonly accessToken: string;
  readonly transfer: TokenTransfer;
}

/** A session after a change. */
export interface ChangedSession {
  readonly context: SessionContext;
  readonly payload: object | Misfit;
}

/** What a session asks of the instance it belongs to. */
export interface SessionActions {
  getData(context: SessionContext): Promise<object>;
  setData(context: SessionContext, data: object): Promise<void>;
  updatePayload(context: SessionContext, payload: object): Promise<ChangedSession>;
  end(context: SessionContext, reason: EndReasonOfApplication): Promise<void>;
  endOthers(context: SessionContext): Promise<number>;
  list(context: SessionContext): Promise<readonly ListedSession<object, object>[]>;
  stepUp(context: SessionContext, auth: StepUp): Promise<ChangedSession>;
  actAs(context: SessionContext, user: ActAs<object, object>): Promise<ChangedSession>;
  actAsSelf(context: SessionContext): Promise<ChangedSession>;
}

/** The session of one request. */
export class RequestSession implements Session<object, object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  readonly payload: object;
  readonly payloadVersion: number;
  readonly auth: Authentication | undefined;
  readonly actor: Actor | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly #actions: SessionActions;
  #context: SessionContext;

  constructor(actions: SessionActions, context: SessionContext, payload: object | Misfit) {
    const { facts } = context;
    this.userId = facts.userId;
    this.handle = facts.handle;
    this.tenantId = facts.tenantId;
    this.payload = payload;
    this.payloadVersion = facts.payloadVersion;
    this.auth = facts.auth;
    this.actor = facts.actor;
    this.issuedAt = facts.issuedAt;
    this.expiresAt = facts.expiresAt;
    this.#actions = actions;
    this.#context = context;
    guardPayload(this);
  }

  getData(): Promise<object> {
    return this.#actions.getData(this.#context);
  }

  setData(data: object): Promise<void> {
    return this.#actions.setData(this.#context, data);
  }

  async updatePayload(payload: object): Promise<void> {
    this.#become(await this.#actions.updatePayload(this.#context, payload));
  }

  end(reason: EndReasonOfApplication = "logout"): Promise<void> {
    return this.#actions.end(this.#context, reason);
  }

  endOthers(): Promise<number> {
    return this.#actions.endOthers(this.#context);
  }

  list(): Promise<readonly ListedSession<object, object>[]> {
    return this.#actions.list(this.#context);
  }

  async stepUp(auth: StepUp): Promise<void> {
    this.#become(await this.#actions.stepUp(this.#context, auth));
  }

  async actAs(user: ActAs<object, object>): Promise<void> {
    this.#become(await this.#actions.actAs(this.#context, user));
  }

  async actAsSelf(): Promise<void> {
    this.#become(await this.#actions.actAsSelf(this.#context));
  }

  #become({ context, payload }: ChangedSession): void {
    const { userId, payloadVersion, auth, actor, issuedAt, expiresAt } = context.facts;
    this.#context = context;
    Object.assign(this, { userId, payloadVersion, auth, actor, issuedAt, expiresAt });
    Object.defineProperty(this, "payload", { value: payload, writable: true });
    guardPayload(this);
  }
}
