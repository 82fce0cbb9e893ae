import {
  checkUserIdText,
  type JsonObject,
  payloadText,
  type SessionHandle,
  type SessionInformation,
} from "@pawl/engine";
import { ACCESS_TOKEN_COOKIE } from "./cookie-name.js";
import { accessCookieBytes, checkCookieSize, fitsCookie } from "@pawl/node/http";
import { type SessionHistory, callHook } from "@pawl/node/backend";
import type { OpenedPawl } from "./opened-pawl.js";
import type { Session } from "./session-object.js";

/** One of a user's sessions, as for a page "where you are logged in". Times are ms since the epoch. */
export interface UserSession<
  Payload extends object = JsonObject,
  Data extends object = JsonObject,
> extends SessionInformation<Payload, Data> {
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** What can be asked and done beside the request being served. */
export interface UserSessions<Payload extends object = JsonObject, Data extends object = JsonObject> {
  /** All live sessions of a user, with device, address and last use; `current` names the one that asks. */
  listForUser(
    userId: string,
    options?: { readonly current?: Session<Payload, Data> | undefined },
  ): Promise<readonly UserSession<Payload, Data>[]>;
  /** Ends all other sessions of the session's user. @returns how many. */
  revokeOthers(session: Session<Payload, Data>): Promise<number>;
  /** A live session; undefined when there is none. */
  get(handle: string): Promise<SessionInformation<Payload, Data> | undefined>;
  /**
   * Replaces the payload; tokens carry it from the next refresh on. @returns false when there is no such live session.
   * @throws SessionError `GENERAL_ERROR` also when the access token would not fit its cookie any more.
   */
  updatePayload(handle: string, payload: Payload): Promise<boolean>;
  /** What became of a session, and why. */
  explain(handle: string): Promise<SessionHistory>;
  /**
   * Calls the listener for each session that this process learns was revoked, wherever that was done; what it throws
   * becomes a process warning. Returns stop.
   */
  onRevoked(listener: (revoked: { readonly handle: SessionHandle; readonly at: number }) => void): Promise<() => void>;
}

const SESSIONS_PER_PAGE = 100;

/** Runs work on the opened backend; turns failures into session errors. */
export type Run = <Result>(work: (opened: OpenedPawl) => Promise<Result>) => Promise<Result>;

export const createUserSessions = (run: Run): UserSessions => ({
  listForUser: (userId, { current } = {}) =>
    run(async ({ backend }) => {
      const user = { userId: checkUserIdText(userId) };
      const sessions: UserSession[] = [];
      let after: string | undefined;
      do {
        const request = { limit: SESSIONS_PER_PAGE, ...(after === undefined ? {} : { after }) };
        const page = await backend.list(user, request);
        const own = current?.getHandle();
        sessions.push(...page.items.map((session) => ({ ...session, current: session.handle === own })));
        after = page.next;
      } while (after !== undefined);
      return sessions;
    }),

  revokeOthers: (session) =>
    run(async ({ backend }) => {
      const user = { userId: checkUserIdText(session.getUserId()), except: session.getHandle() };
      return (await backend.revokeUser(user, { reason: "logout" })).length;
    }),

  get: (handle) => run(({ backend }) => backend.get(handle)),

  updatePayload: (handle, payload) =>
    run(async ({ backend }) => {
      const json = payloadText(payload, "v5");
      const session = await backend.get(handle);
      if (session === undefined) return false;
      const bytes = (of: JsonObject, text?: string): number =>
        accessCookieBytes(
          { ...session, payload: of },
          { name: ACCESS_TOKEN_COOKIE, algorithm: backend.signingAlgorithm, form: "v5", json: text },
        );
      // What is larger already does not travel in a cookie.
      if (fitsCookie(bytes(session.payload)))
        checkCookieSize({ name: ACCESS_TOKEN_COOKIE, bytes: bytes(payload, json) }, { ...session, payload });
      // As the documentation has it: from the next refresh on.
      return backend.updatePayload(handle, payload, { announced: false });
    }),

  explain: (handle) => run(({ backend }) => backend.explain(handle)),

  onRevoked: (listener) =>
    run(async ({ backend }) => backend.subscribe(({ handle, at }) => void callHook(() => listener({ handle, at })))),
});
