import { asSessionError, type Serving } from "./serving.js";
import type { ListedSession, SessionActions, SessionContext } from "../session.js";
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

/** What a session can be asked for, over what was opened. */
export const createActions = (it: Omit<Serving, "actions">): SessionActions => {
  const { backend, requests, payloads, data } = it;

  /** The session has ended: the client is told so, and so is everyone who asks during this request. */
  const gone = ({ exchange, transfer }: SessionContext): SessionError => {
    const error = new SessionError("UNAUTHORISED", "the session has ended");
    const state = requests.of(exchange);
    state.answer.end(transfer);
    state.found = { kind: "none", error };
    return error;
  };

  return {
    getData: told(async (context) => {
      const session = await backend.get(context.facts.handle);
      if (session === undefined) throw gone(context);
      return data.read(session.data);
    }),

    setData: told(async (context, value) => {
      if (!(await backend.updateData(context.facts.handle, await data.accept(value)))) throw gone(context);
    }),

    updatePayload: told(async (context, value) => {
      const { exchange, accessToken, transfer } = context;
      const stored = await payloads.accept(value);
      const outcome = await backend.regenerate(accessToken, stored);
      if (outcome.kind !== "regenerated") throw gone(context);
      if (outcome.accessToken !== undefined)
        requests.of(exchange).answer.access(
          {
            handle: outcome.session.handle,
            token: outcome.accessToken,
            cookieExpiry: backend.now() + LONGEST_COOKIE,
          },
          transfer,
        );
      return payloads.read(outcome.session.payload);
    }),

    end: told(async (context, reason) => {
      await backend.revoke([context.facts.handle], { reason });
      gone(context);
    }),

    endOthers: told(async ({ facts }) => {
      const { userId, tenantId, handle } = facts;
      const others = { userId, tenantId, except: handle };
      return (await backend.revokeUser(others, { reason: "logout" })).length;
    }),

    list: told(async ({ facts }) => {
      const sessions: ListedSession<object, object>[] = [];
      let after: string | undefined;
      do {
        const page = await backend.list(facts, { limit: SESSIONS_PER_PAGE, after });
        for (const session of page.items) sessions.push({ ...session, current: session.handle === facts.handle });
        after = page.next;
      } while (after !== undefined);
      return sessions;
    }),
  };
};
