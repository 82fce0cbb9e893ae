import type { Millis } from "@pawl/storage";
import type { RefusedOutcome, RegenerateOutcome } from "@pawl/engine";
import { checkAccessCookie, type SizedSession } from "../http/cookie-size.js";
import { announceRefreshable } from "../http/announcement.js";
import { checkOptions, duration, durationOf, type OptionTable, text } from "../options/option.js";
import { isBindable } from "./bound-sessions.js";
import { checkUserId } from "./new-session.js";
import { firstPayload, readPayload } from "./payload-source.js";
import { fitting } from "./schema.js";
import { asSessionError, type Serving } from "./serving.js";
import {
  type ActAs,
  type ChangedSession,
  type ListedSession,
  RequestSession,
  type SessionActions,
  type SessionContext,
} from "../session.js";
import { SessionError } from "../session-error.js";

/** Browsers keep no cookie longer (RFC 6265bis section 5.5). An access token does not tell how long its session lives. */
const LONGEST_COOKIE = 400 * 86_400_000;
const SESSIONS_PER_PAGE = 100;

/** What fails is told as by everything else that can be asked. */
const told =
  <Given extends readonly unknown[], Result>(act: (...given: Given) => Promise<Result>) =>
  (...given: Given): Promise<Result> =>
    act(...given).catch((error: unknown) => {
      throw asSessionError(error);
    });

/** A name too many would be lost in silence: a `tenantId`, say, for one acts within the own tenant. */
const actAsTable = {
  userId: text("a text"),
  reason: text("a text that is not empty", /^[^]/),
  for: duration(undefined, { least: 1 }),
} as const satisfies OptionTable;

/** What a session can be asked for, over what was opened. */
export const createActions = (opened: Omit<Serving, "actions">): SessionActions => {
  const { backend, requests, data } = opened;

  /** The session has ended: the client is told so, and so is everyone who asks during this request. */
  const gone = ({ exchange, transfer }: SessionContext): SessionError => {
    const error = new SessionError("UNAUTHORISED", "the session has ended");
    const state = requests.of(exchange);
    state.answer.end(transfer);
    state.found = { kind: "none", error };
    return error;
  };

  /** The session has changed since its access token was made: a new one tells how it is now. */
  const outdated = ({ exchange }: SessionContext, message: string): SessionError => {
    announceRefreshable(exchange);
    return new SessionError("TRY_REFRESH", message);
  };

  /** The session is not found as one that speaks for its user. */
  const spokenForNoMore = (context: SessionContext): SessionError =>
    context.facts.actor === undefined
      ? gone(context)
      : outdated(context, "this session does not act for that user any more");

  const checkNotActing = ({ facts }: SessionContext, what: string): void => {
    if (facts.actor !== undefined) throw new SessionError("FORBIDDEN", `${what} while one acts for a user`);
  };

  /** Before anything is stored: an access token that the browser does not keep would be of no use. */
  const checkFits = ({ facts, transfer }: SessionContext, change: Partial<SizedSession>): void => {
    if (transfer === "cookie") checkAccessCookie(opened, { ...facts, ...change });
  };

  /** Puts the new access token into the answer, and into what this request finds from now on. */
  const changed = async (
    before: SessionContext,
    outcome: RegenerateOutcome | RefusedOutcome,
  ): Promise<ChangedSession> => {
    if (outcome.kind === "unauthorised") throw gone(before);
    if (outcome.kind === "outdated") throw outdated(before, outcome.message);
    if (outcome.kind === "refused") {
      if (outcome.why === "self") throw new TypeError(outcome.message);
      throw new SessionError("FORBIDDEN", outcome.message);
    }
    const { exchange, facts, transfer } = before;
    const { session, accessToken: token, registration } = outcome;
    const state = requests.of(exchange);
    if (token !== undefined)
      state.answer.access({ session, token, registration, cookieExpiry: backend.now() + LONGEST_COOKIE }, transfer);
    const times = token && { issuedAt: token.createdTime, expiresAt: token.expiry };
    const context = {
      ...before,
      facts: { ...facts, ...session, actor: session.actor, bound: session.bound, ...times },
      accessToken: token?.token ?? before.accessToken,
    };
    const payload = await readPayload(opened, session.payload);
    state.found = { kind: "session", session: new RequestSession(actions, context, payload) };
    return { context, payload };
  };

  const actions: SessionActions = {
    getData: told(async (context) => {
      const session = await backend.get(context.facts.handle, spokenFor(context));
      if (session === undefined) throw spokenForNoMore(context);
      return fitting(await data.read(session.data));
    }),

    setData: told(async (context, value) => {
      const stored = await data.accept(value);
      if (!(await backend.updateData(context.facts.handle, stored, spokenFor(context)))) throw spokenForNoMore(context);
    }),

    updatePayload: told(async (context, value) => {
      const payload = await opened.payloads.accept(value);
      checkFits(context, { payload });
      // What is written was made from the payload of this token: a role taken away meanwhile would be written back.
      const { payloadVersion } = context.facts;
      return changed(
        context,
        await backend.regenerate(context.accessToken, payload, { expectedVersion: payloadVersion }),
      );
    }),

    end: told(async (context, reason) => {
      await backend.revoke([context.facts.handle], { reason });
      gone(context);
    }),

    endOthers: told(async (context) => {
      checkNotActing(context, "no session of others is ended");
      const { userId, tenantId, handle } = context.facts;
      const others = { userId, tenantId, except: handle };
      return (await backend.revokeUser(others, { reason: "logout" })).length;
    }),

    list: told(async (context) => {
      checkNotActing(context, "no sessions are listed");
      const { facts } = context;
      const sessions: ListedSession<object, object>[] = [];
      let after: string | undefined;
      do {
        const page = await backend.list(facts, { limit: SESSIONS_PER_PAGE, after });
        for (const session of page.items) sessions.push({ ...session, current: session.handle === facts.handle });
        after = page.next;
      } while (after !== undefined);
      return sessions;
    }),

    stepUp: told(async (context, { methods = [], level }) => {
      checkFits(context, { auth: { methods, level } });
      const bindable = context.transfer === "cookie" && isBindable(opened, context.exchange);
      return changed(context, await backend.stepUp(context.accessToken, { methods, level, bindable }));
    }),

    actAs: told(async (context, user) => {
      const { facts, accessToken } = context;
      checkActAs(user);
      const { payload, data: given = {}, reason } = user;
      const userId = checkUserId(user.userId);
      checkNotActing(context, "nobody acts for another user");
      const accepted = await firstPayload(opened, { userId, tenantId: facts.tenantId, given: payload });
      if (accepted === undefined) throw new TypeError("actAs needs a payload, for there is no loadPayload to say it");
      const actor = { userId: facts.userId };
      checkFits(context, { userId, payload: accepted, actor });
      const input = {
        userId,
        payload: accepted,
        data: await data.accept(given),
        reason,
        for: durationOf(user.for) as Millis | undefined,
      };
      return changed(context, await backend.actAs(accessToken, input));
    }),

    actAsSelf: told(async (context) => changed(context, await backend.actAsSelf(context.accessToken))),
  };
  return actions;
};

/** Whose data are meant, where it is not the owner of the session. */
const spokenFor = ({ facts: { actor, userId } }: SessionContext) => ({ as: actor === undefined ? undefined : userId });

/** Without types anything may be left out. */
const checkActAs = (user: ActAs<object, object>): void => {
  const { payload: _payload, data: _data, reason = "", ...rest } = user as Partial<typeof user>;
  checkOptions({ ...rest, reason }, actAsTable, { within: "actAs: " });
};
