import type { Exchange } from "@pawl/node/http";

/** Holds until when a rendered page need not try to refresh again, in ms since the epoch. */
const REFRESH_ATTEMPT_COOKIE = "sRefreshAttempt";

/** How long an attempt counts; a planted mark that claims more counts for nothing. */
const ATTEMPT_LIFETIME = 30_000;

/** Whether a refresh was tried just now: whatever cookies a request shows beside that, another one would not help. */
export const hasJustTried = (exchange: Exchange, now: number): boolean =>
  exchange.cookies(REFRESH_ATTEMPT_COOKIE).some((value) => {
    const left = Number(value) - now;
    return left > 0 && left <= ATTEMPT_LIFETIME;
  });

/** Marks in the browser that a refresh was tried. `tokenExpiry`: of the access token it brought. @returns the mark. */
export const markAttempt = (
  exchange: Exchange,
  { now, tokenExpiry = Number.POSITIVE_INFINITY }: { readonly now: number; readonly tokenExpiry?: number },
): string => {
  const mark = String(Math.min(now + ATTEMPT_LIFETIME, tokenExpiry));
  exchange.setHeader("Cache-Control", "no-store");
  exchange.appendCookie(
    `${REFRESH_ATTEMPT_COOKIE}=${mark}; Path=/; Max-Age=${ATTEMPT_LIFETIME / 1000}; HttpOnly; SameSite=Lax`,
  );
  return mark;
};

export const showsMark = (exchange: Exchange, mark: string): boolean =>
  exchange.cookies(REFRESH_ATTEMPT_COOKIE).includes(mark);
