import type { Exchange } from "@pawl/node/http";
import { renewInExchange } from "./exchange-sessions.js";
import type { OpenedPawl } from "./opened-pawl.js";
import { hasJustTried, markAttempt, showsMark } from "./refresh-attempt.js";
import { SessionError } from "./session-error.js";

/** What a browser is told that was sent to refresh for a page. */
export type PageRefresh =
  /** It can go back: the page reads a valid session, or none. */
  | { readonly kind: "settled" }
  /** A refresh was tried; the browser has to show that it keeps the mark before it goes back. */
  | { readonly kind: "tried"; readonly mark: string }
  /** It does not keep cookies, so the page would send it here again. */
  | { readonly kind: "keeps_no_cookies" };

/**
 * Refreshes for a page that is rendered on the server, and whatever cookies the browser keeps, it is not sent round in
 * circles: the page believes a fresh mark, and without the mark the browser is not sent back. `mark` is the one that this
 * browser was given in the request before.
 * @throws SessionError `GENERAL_ERROR`.
 */
export const refreshForPage = async (
  opened: OpenedPawl,
  exchange: Exchange,
  mark: string | undefined,
): Promise<PageRefresh> => {
  const now = opened.backend.now();
  if (mark !== undefined) return { kind: showsMark(exchange, mark) ? "settled" : "keeps_no_cookies" };
  if (hasJustTried(exchange, now)) return { kind: "settled" };
  try {
    const { accessToken } = await renewInExchange(opened, exchange);
    return { kind: "tried", mark: markAttempt(exchange, { now, tokenExpiry: accessToken.expiry }) };
  } catch (error) {
    if (!SessionError.isErrorFromAuth(error) || error.errType === SessionError.GENERAL_ERROR) throw error;
    // It has ended and its cookies are cleared: the page will say so.
    return { kind: "tried", mark: markAttempt(exchange, { now }) };
  }
};
