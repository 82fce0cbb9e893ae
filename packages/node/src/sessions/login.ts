import type { SessionHandle } from "@pawl/engine";
import { persist } from "../application-hook.js";
import { checkOwnPage } from "../http/csrf.js";
import type { Exchange } from "../http/exchange.js";
import { bearerToken, wantedTransfer } from "../http/token-transfer.js";
import { isBindable } from "./bound-sessions.js";
import { type FindOptions, issuedSession, refreshOnce } from "./request-sessions.js";
import { refuseFormer } from "./adoption.js";
import { newSession, type NewSession } from "./new-session.js";
import type { Serving } from "./serving.js";
import type { RequestSession } from "../session.js";
import { SessionError } from "../session-error.js";

/**
 * Logs a user in. The session that the request carried ends: its browser has another one now.
 * @throws SessionError `CSRF`, `UNKNOWN`; `FORBIDDEN` while the session of the request acts for a user; TypeError for an
 * input that cannot be kept.
 */
export const createSession = async (
  it: Serving,
  exchange: Exchange,
  input: NewSession,
  options: FindOptions = {},
): Promise<RequestSession> => {
  const {
    requests,
    options: { headerMode, origins = [] },
    warnOnce,
  } = it;
  const transfer = headerMode === true ? wantedTransfer(exchange) : "cookie";
  if (options.csrf !== false && transfer === "cookie") checkOwnPage(exchange, origins, warnOnce);
  if (!exchange.canWrite())
    throw new TypeError("a session cannot be created when the answer has been sent, or cannot have cookies");
  const carried = { access: it.cookies.read(exchange, "access"), refresh: it.cookies.read(exchange, "refresh") };
  const handles = await carriedHandles(it, exchange, carried);
  const bearer = headerMode === true ? bearerToken(exchange) : undefined;
  const shown = bearer === undefined ? undefined : await it.backend.claimsOf(bearer);
  // What somebody begins for a user must end with it.
  for (const handle of shown === undefined ? handles : [shown.handle, ...handles])
    if ((await it.backend.get(handle))?.acting !== undefined)
      throw new SessionError("FORBIDDEN", "no session is created while one acts for a user: call actAsSelf() first");
  const device = input.device ?? exchange.device();
  const bindable = transfer === "cookie" && isBindable(it, exchange);
  const issued = await newSession(it, { ...input, device }, { transfer, bindable, address: exchange.address() });
  if (carried.access.length + carried.refresh.length === 0) it.warnOfKeptBackCookies(exchange);
  const state = requests.of(exchange);
  state.answer.login(issued, transfer);
  endReplaced(it, handles);
  persist(() => refuseFormer(it, exchange, "replaced"));
  const found = await issuedSession(it, exchange, { issued, transfer });
  state.found = found;
  state.isLogin = true;
  return found.session;
};

/** The tokens that a request carries in cookies. */
interface CarriedTokens {
  readonly access: readonly string[];
  readonly refresh: readonly string[];
}

/**
 * The sessions that a request carries: their rows tell how they are now, whatever its access tokens say, and however old
 * these are, unless the session is bound to a device: a copied cookie must not end it. Where none can be read, the refresh
 * token tells, unless the request came too long ago.
 */
const carriedHandles = async (
  it: Serving,
  exchange: Exchange,
  { access, refresh }: CarriedTokens,
): Promise<readonly SessionHandle[]> => {
  const settled = await it.requests.known(exchange)?.found;
  const known = settled?.kind === "session" ? [settled.session.handle as SessionHandle] : [];
  const named = await Promise.all(access.map((accessToken) => carriedHandle(it, accessToken)));
  const handles = new Set([...known, ...named.filter((handle) => handle !== undefined)]);
  if (handles.size > 0 || refresh.length === 0 || it.requests.isLate(exchange)) return [...handles];
  const presented = { tokens: refresh, transfer: "cookie", unprovenIsExpected: true } as const;
  const outcome = await refreshOnce(it, presented).outcome;
  return outcome.kind === "refreshed" ? [outcome.session.handle] : [];
};

const carriedHandle = async ({ backend }: Serving, accessToken: string): Promise<SessionHandle | undefined> => {
  const { handle, expiresAt } = (await backend.claimsOf(accessToken)) ?? {};
  if (handle === undefined || expiresAt === undefined || backend.now() < expiresAt) return handle;
  return (await backend.get(handle))?.bound === true ? undefined : handle;
};

/** Ends what the browser had before, in the background: a failure is tried again, and never fails the login. */
const endReplaced = ({ backend }: Serving, handles: readonly SessionHandle[]): void => {
  if (handles.length > 0) persist(() => backend.revoke(handles, { reason: "replaced" }));
};
