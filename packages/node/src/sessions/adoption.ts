import { checkTenantId } from "@pawl/engine";
import type { Millis } from "@pawl/storage";
import { inTime } from "../application-hook.js";
import type { RefreshAnswer } from "../backend/session-backend.js";
import type { Exchange } from "../http/exchange.js";
import type { FormerRequest } from "../options/adoption.js";
import { timeOf } from "../options/option.js";
import { RETRY_AFTER, SessionError } from "../session-error.js";
import { checkUserId, keptInput } from "./new-session.js";
import type { Serving } from "./serving.js";

/** How long the system from before may take, ms. */
const DEADLINE = 2000;

const untilOf = ({ options }: Serving): Millis => (timeOf(options.adopt?.until) ?? 0) as Millis;

/** Whether a request shows what may be a session from before, which may go on here. */
export const showsFormer = (it: Serving, exchange: Exchange): boolean =>
  it.options.adopt?.cookies.some((name) => exchange.cookies(name).length > 0) === true &&
  it.backend.now() < untilOf(it);

/** The session from before as its system says it, and what names it. @throws SessionError `UNKNOWN` where it does not say. */
const loadFormer = async (it: Serving, exchange: Exchange) => {
  const load = it.options.adopt?.load;
  const request: FormerRequest = {
    cookie: (name) => exchange.cookies(name)[0],
    header: (name) => exchange.header(name),
  };
  const login = await inTime(async () => load?.(request), { name: "adopt.load", within: DEADLINE }).catch(
    (cause: unknown) => {
      const message = `the session from before could not be loaded: ${cause instanceof Error ? cause.message : "something was thrown"}`;
      throw new SessionError("UNKNOWN", message, { cause, retryAfter: RETRY_AFTER });
    },
  );
  // Without types it may be null.
  if ((login ?? undefined) === undefined || login === undefined) return undefined;
  return { ...login, former: login.id, until: untilOf(it) };
};

/**
 * The session that takes the place of the one from before, for whose cookie a request is asked; undefined where there is none.
 * @throws SessionError `UNKNOWN`; TypeError for what cannot be kept.
 */
export const adoptFormer = async (it: Serving, exchange: Exchange): Promise<RefreshAnswer | undefined> => {
  const login = await loadFormer(it, exchange);
  if (login === undefined) return undefined;
  const { former, until } = login;
  const createdAt = timeOf(login.createdAt) as Millis | undefined;
  const input = { ...login, device: exchange.device() };
  const kept = await keptInput(it, input, { transfer: "cookie", address: exchange.address() });
  return it.backend.adopt({ ...kept, former, until, createdAt });
};

/** Ends what was, or would be, adopted: somebody else has logged in, or nobody is to be logged in any more. */
export const refuseFormer = async (it: Serving, exchange: Exchange, reason: "replaced" | "logout"): Promise<void> => {
  const login = showsFormer(it, exchange) ? await loadFormer(it, exchange) : undefined;
  if (login === undefined) return;
  const { former, until } = login;
  const owner = { userId: checkUserId(login.userId), tenantId: checkTenantId(login.tenantId) };
  await it.backend.refuseAdoption({ ...owner, former, until }, { reason });
};
