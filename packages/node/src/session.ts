import type { JsonObject, SessionHandle, SessionInformation } from "@pawl/engine";
import type { Exchange } from "./http/exchange.js";
import type { TokenTransfer } from "./http/token-transfer.js";
import type { EndReason, TenantId, UserId } from "@pawl/storage";

/** A live session of the request that is being served. */
export interface Session<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
  PayloadInput extends object = Payload,
  DataInput extends object = Data,
> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  /** What the access token carries. Requests share it, so it is frozen. */
  readonly payload: Payload;
  /** Of the access token, ms since the epoch. */
  readonly issuedAt: number;
  /** Of the access token, ms since the epoch; the session itself lives on by being refreshed. */
  readonly expiresAt: number;

  /** What only the server knows of the session. @throws SessionError `UNAUTHORISED` when it has ended. */
  getData(): Promise<Data>;
  /** Replaces the data. @throws SessionError `UNAUTHORISED` when the session has ended. */
  setData(data: DataInput): Promise<void>;
  /** Replaces the payload; this answer carries a new access token with it. @throws SessionError `UNAUTHORISED`. */
  updatePayload(payload: PayloadInput): Promise<void>;
  /** Logs out: ends the session and clears its cookies. */
  end(reason?: EndReasonOfApplication): Promise<void>;
  /** Ends all other sessions of this user. @returns how many. */
  endOthers(): Promise<number>;
  /** The user's live sessions, as for a page "where you are logged in". */
  list(): Promise<readonly ListedSession<Payload, Data>[]>;
}

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

/** What a session asks of the instance it belongs to. */
export interface SessionActions {
  getData(context: SessionContext): Promise<object>;
  setData(context: SessionContext, data: object): Promise<void>;
  /** @returns the payload that stands from now on. */
  updatePayload(context: SessionContext, payload: object): Promise<object>;
  end(context: SessionContext, reason: EndReasonOfApplication): Promise<void>;
  endOthers(context: SessionContext): Promise<number>;
  list(context: SessionContext): Promise<readonly ListedSession<object, object>[]>;
}

/** The session of one request. */
export class RequestSession implements Session<object, object> {
  readonly userId: string;
  readonly handle: string;
  readonly tenantId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  #payload: object;
  readonly #actions: SessionActions;
  readonly #context: SessionContext;

  constructor(actions: SessionActions, context: SessionContext, payload: object) {
    const { facts } = context;
    this.userId = facts.userId;
    this.handle = facts.handle;
    this.tenantId = facts.tenantId;
    this.issuedAt = facts.issuedAt;
    this.expiresAt = facts.expiresAt;
    this.#payload = payload;
    this.#actions = actions;
    this.#context = context;
  }

  get payload(): object {
    return this.#payload;
  }

  getData(): Promise<object> {
    return this.#actions.getData(this.#context);
  }

  setData(data: object): Promise<void> {
    return this.#actions.setData(this.#context, data);
  }

  async updatePayload(payload: object): Promise<void> {
    this.#payload = await this.#actions.updatePayload(this.#context, payload);
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
}
