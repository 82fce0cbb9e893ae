import type { JsonObject, SessionHandle, SessionSummary } from "@pawl/engine";
import type { Exchange } from "./exchange.js";
import type { OpenedPawl } from "./opened-pawl.js";
import { readSessionData, writeSessionData } from "./session-data.js";
import { asSessionError, UNAUTHORISED } from "./session-error.js";

/** A live session of the request being served. */
export class Session<Payload extends object = JsonObject, Data extends object = JsonObject> {
  readonly #opened: OpenedPawl;
  readonly #exchange: Exchange;
  readonly #summary: Pick<SessionSummary, "handle" | "userId" | "payload">;

  /** Sessions are made by `createNewSession`, `getSession` and `refreshSession`. */
  constructor(opened: OpenedPawl, exchange: Exchange, summary: Pick<SessionSummary, "handle" | "userId" | "payload">) {
    this.#opened = opened;
    this.#exchange = exchange;
    this.#summary = summary;
  }

  getUserId(): string {
    return this.#summary.userId;
  }

  /** What the access token carries. Many requests share it, so it is frozen. */
  getJWTPayload(): Payload {
    return this.#summary.payload as unknown as Payload;
  }

  getHandle(): SessionHandle {
    return this.#summary.handle;
  }

  /** Ends the session; clears the cookies when it was this call that ended it. @throws SessionError `GENERAL_ERROR`. */
  async revokeSession(): Promise<void> {
    const { backend, cookies } = this.#opened;
    await this.#attempt(async () => {
      const revoked = await backend.revoke([this.#summary.handle], { reason: "logout" });
      if (revoked.length === 1) cookies.clear(this.#exchange);
    });
  }

  /** @throws SessionError `UNAUTHORISED` when the session has ended; the cookies are cleared then. */
  async getSessionData(): Promise<Data> {
    return this.#attempt(() =>
      readSessionData(this.#opened.backend, this.#summary.handle),
    ) as Promise<unknown> as Promise<Data>;
  }

  /** Replaces the data. @throws SessionError `UNAUTHORISED` when the session has ended; the cookies are cleared then. */
  async updateSessionData(data: Data): Promise<void> {
    await this.#attempt(() => writeSessionData(this.#opened.backend, this.#summary.handle, data));
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      const error = asSessionError(cause);
      if (error.errType === UNAUTHORISED) this.#opened.cookies.clear(this.#exchange);
      throw error;
    }
  }
}
