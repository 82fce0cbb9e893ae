import { setTimeout } from "node:timers";
import { checkTenantId, type IssuedSession, type SessionHandle } from "@pawl/engine";
import type { Millis, UserId } from "@pawl/storage";
import { warnOf } from "../application-hook.js";
import { checkAccessCookie } from "../http/cookie-size.js";
import { checkOwnPage } from "../http/csrf.js";
import type { Exchange } from "../http/exchange.js";
import { bearerToken, type TokenTransfer, wantedTransfer } from "../http/token-transfer.js";
import { type FindOptions, issuedSession, refreshOnce } from "./request-sessions.js";
import { firstPayload } from "./payload-source.js";
import type { Serving } from "./serving.js";
import type { RequestSession } from "../session.js";
import type { LoginAuth } from "../session-input.js";
import { SessionError } from "../session-error.js";

/** What an application gives for a new session. */
export interface NewSession {
  readonly userId: string;
  readonly tenantId?: string | undefined;
  readonly payload?: object | undefined;
  readonly data?: object | undefined;
  /** How the user has authenticated; now, and without methods, unless given. */
  readonly auth?: LoginAuth | undefined;
  /** The user agent unless given. */
  readonly device?: string | undefined;
}

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
  const bearer = headerMode === true ? bearerToken(exchange) : undefined;
  // What somebody begins for a user must end with it.
  const settled = await requests.known(exchange)?.found;
  const acts = settled?.kind === "session" && settled.session.actor !== undefined;
  if (acts || (await isActing(it, bearer === undefined ? carried.access : [bearer, ...carried.access])))
    throw new SessionError("FORBIDDEN", "no session is created while one acts for a user: call actAsSelf() first");
  const device = input.device ?? exchange.device();
  const issued = await newSession(it, { ...input, device }, { transfer, address: exchange.address() });
  if (carried.access.length + carried.refresh.length === 0) it.warnOfKeptBackCookies(exchange);
  const state = requests.of(exchange);
  state.answer.login(issued, transfer);
  void endCarried(it, { ...carried, mayRefresh: () => !requests.isLate(exchange) }, issued.session.handle);
  const found = await issuedSession(it, exchange, { issued, transfer });
  state.found = found;
  state.isLogin = true;
  return found.session;
};

/** @throws TypeError for an input that cannot be kept, or would not fit the cookie where it has to. */
export const newSession = async (
  it: Serving,
  input: NewSession,
  { transfer, address }: { readonly transfer?: TokenTransfer; readonly address?: string | undefined } = {},
): Promise<IssuedSession> => {
  const userId = checkUserId(input.userId);
  const tenantId = checkTenantId(input.tenantId);
  const first = await firstPayload(it, { userId, tenantId, given: input.payload });
  // Without types it may be null, which is none and must not become an empty one.
  const payload = first === undefined ? await it.payloads.accept({}) : first;
  const data = await it.data.accept(input.data ?? {});
  const { methods, level, at } = input.auth ?? {};
  const auth = input.auth && { methods, level, at: at as Millis | undefined };
  return it.backend.create({
    userId,
    tenantId,
    payload,
    data,
    auth,
    form: "pawl",
    device: input.device?.slice(0, 512),
    address: address?.slice(0, 128),
    // Before it is created: a session that could not be handed out must not have ended another one over a limit.
    checkPayload:
      transfer === "cookie" ? (json) => checkAccessCookie(it, { userId, tenantId, payload, auth }, json) : undefined,
  });
};

/** @throws TypeError for an empty text too: an id that got lost must name nobody, and not everybody. */
export const checkUserId = (userId: unknown): UserId => {
  if (typeof userId !== "string" || userId === "") throw new TypeError("userId must be a text that is not empty");
  return userId as UserId;
};

const isActing = async ({ backend }: Serving, accessTokens: readonly string[]): Promise<boolean> => {
  for (const accessToken of accessTokens) {
    const outcome = await backend.verify({ accessToken });
    if (outcome.kind === "valid" && outcome.claims.actor !== undefined) return true;
  }
  return false;
};

/** The tokens that a request carries in cookies. */
interface CarriedTokens {
  readonly access: readonly string[];
  readonly refresh: readonly string[];
  /** Not when the request came too long ago. */
  readonly mayRefresh: () => boolean;
}

/** Whose tokens they are, also where the access token has run out. */
const handlesOf = async (
  it: Serving,
  { access, refresh: refreshTokens, mayRefresh }: CarriedTokens,
): Promise<readonly SessionHandle[]> => {
  const outcomes = await Promise.all(access.map(async (accessToken) => it.backend.verify({ accessToken })));
  const handles = outcomes.flatMap((outcome) => (outcome.kind === "valid" ? [outcome.claims.handle] : []));
  if (handles.length > 0 || refreshTokens.length === 0 || !mayRefresh()) return handles;
  const outcome = await refreshOnce(it, { tokens: refreshTokens, transfer: "cookie" }).outcome;
  return outcome.kind === "refreshed" ? [outcome.session.handle] : [];
};

const ATTEMPTS = 5;

/** Ends what the browser had before, in the background: a failure is tried again, and never fails the login. */
const endCarried = async (it: Serving, carried: CarriedTokens, current: SessionHandle): Promise<void> => {
  for (let attempt = 1; ; attempt++)
    try {
      const handles = (await handlesOf(it, carried)).filter((handle) => handle !== current);
      if (handles.length > 0) await it.backend.revoke(handles, { reason: "replaced" });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) return warnOf(error);
      await new Promise<void>((resolve) => void setTimeout(resolve, 1000 * 2 ** attempt).unref());
    }
};
