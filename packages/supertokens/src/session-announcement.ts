import { randomUUID } from "node:crypto";
import type { IssuedSession } from "@pawl/engine";
import { type Exchange, readsFrontToken } from "@pawl/node/http";

export const ANTI_CSRF_HEADER = "anti-csrf";
/** Bytes of the names of these headers, and of those that go with them. */
const HEADER_NAMES_BYTES = 160;
const EXPOSE_HEADERS = "Access-Control-Expose-Headers";

/** Puts a header into the answer that a page on another origin may read. */
export const expose = (exchange: Exchange, name: string, value: string): void => {
  exchange.appendHeader(name, value);
  exchange.appendHeader(EXPOSE_HEADERS, name);
};

/** As `expose`, for a header of which the last word counts: several values would be none. */
const exposeLast = (exchange: Exchange, name: string, value: string): void => {
  exchange.setHeader(name, value);
  exchange.appendHeader(EXPOSE_HEADERS, name);
};

/**
 * What a page may know: base64 of JSON `{uid, ate, up}`: user, expiry in ms, and what the access token says, in the very
 * text that was signed.
 */
const frontToken = ({ session, accessToken }: IssuedSession): string => {
  const [, body = ""] = accessToken.token.split(".");
  const claims = Buffer.from(body, "base64url").toString();
  const text = `{"uid":${JSON.stringify(session.userId)},"ate":${accessToken.expiry},"up":${claims}}`;
  return Buffer.from(text).toString("base64");
};

/**
 * Tells the page of new tokens, whatever way those travel: `front-token` or `id-refresh-token`, as its SDK reads it, and
 * the anti-CSRF token. @returns the id that stands in the id cookie, and the bytes of these headers.
 */
export const announceTokens = (
  exchange: Exchange,
  issued: IssuedSession,
): { readonly id: string; readonly bytes: number } => {
  const id = randomUUID();
  const told = readsFrontToken(exchange) ? frontToken(issued) : `${id};${issued.refreshToken.expiry}`;
  if (readsFrontToken(exchange)) exposeLast(exchange, "front-token", told);
  else expose(exchange, "id-refresh-token", told);
  if (issued.antiCsrfToken !== undefined) expose(exchange, ANTI_CSRF_HEADER, issued.antiCsrfToken);
  return { id, bytes: told.length + (issued.antiCsrfToken ?? "").length + HEADER_NAMES_BYTES };
};

/** Tells the page that the session is over. */
export const announceEnd = (exchange: Exchange): void => {
  if (readsFrontToken(exchange)) exposeLast(exchange, "front-token", "remove");
  else expose(exchange, "id-refresh-token", "remove");
};

/**
 * Tells a page that holds no state of its own that a refresh may help: without it, it could not tell a session whose
 * access token has ended from nobody's.
 */
export const announceRefreshable = (exchange: Exchange): void => {
  if (readsFrontToken(exchange)) exposeLast(exchange, "session-status", "refresh");
};
