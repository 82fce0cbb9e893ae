import type { JsonObject, SessionHandle, SessionSummary } from "@pawl/engine";
import type { Exchange } from "@pawl/node/http";
import { clearedAfterEnd, type OpenedPawl } from "./opened-pawl.js";
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

  // Properties, not methods: `const { getUserId } = session` works, as with the SuperTokens 1.0 SDK.
  readonly getUserId = (): string => this.#summary.userId;

  /** What the access token carries. Many requests share it, so it is frozen. */
  readonly getJWTPayload = (): Payload => this.#summary.payload as unknown as Payload;

  readonly getHandle = (): SessionHandle => this.#summary.handle;

  /** Ends the session; clears the cookies when it was this call that ended it. @throws SessionError `GENERAL_ERROR`. */
  readonly revokeSession = (): Promise<void> =>
    this.#attempt(async () => {
      const { backend, cookies } = this.#opened;
      const revoked = await backend.revoke([this.#summary.handle], { reason: "logout" });
      if (revoked.length === 1) cookies.clear(this.#exchange, "all");
    });

  /** As `revokeSession`, and the cookies are cleared whoever ended it: this browser wants to be logged out. */
  readonly signOut = (): Promise<void> =>
    this.#attempt(async () => {
      const { backend, cookies } = this.#opened;
      await backend.revoke([this.#summary.handle], { reason: "logout" });
      cookies.clear(this.#exchange, "all");
    });

  /** @throws SessionError `UNAUTHORISED` when the session has ended; the cookies are cleared then. */
  readonly getSessionData = (): Promise<Data> =>
    this.#attempt(() =>
      readSessionData(this.#opened.backend, this.#summary.handle),
    ) as Promise<unknown> as Promise<Data>;

  /** Replaces the data. @throws SessionError `UNAUTHORISED` when the session has ended; the cookies are cleared then. */
  readonly updateSessionData = (data: Data): Promise<void> =>
    this.#attempt(() => writeSessionData(this.#opened.backend, this.#summary.handle, data));

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      const error = asSessionError(cause);
      if (error.errType !== UNAUTHORISED) throw error;
      throw await clearedAfterEnd(this.#opened, this.#exchange, { handle: this.#summary.handle, error });
    }
  }
}
