import type { IssuedSession } from "@pawl/engine";
import type { Exchange } from "./exchange.js";
import { readsFrontToken, type TokenTransfer } from "./token-transfer.js";

const expose = (exchange: Exchange, name: string, value: string): void => {
  exchange.setHeader(name, value);
  exchange.appendHeader("Access-Control-Expose-Headers", name);
};

export const exposeAccessToken = (exchange: Exchange, token: string): void =>
  expose(exchange, "st-access-token", token);

export const exposeTokens = (exchange: Exchange, { accessToken, refreshToken }: IssuedSession): void => {
  exposeAccessToken(exchange, accessToken.token);
  expose(exchange, "st-refresh-token", refreshToken.token);
};

/** What a session tells its page. */
type TellingSession = Pick<IssuedSession, "session" | "accessToken">;

/**
 * What a page may know: base64 of JSON `{uid, ate, up}`: user, expiry in ms, and the payload beside claims by their names in
 * the documented API's access tokens. How a user authenticated, and who acts, is the server's business.
 */
const frontToken = ({ session, accessToken }: TellingSession): string => {
  const { userId, handle, tenantId, payload } = session;
  const { createdTime, expiry } = accessToken;
  const claims = { sub: userId, iat: createdTime / 1000, exp: expiry / 1000, tId: tenantId, sessionHandle: handle };
  return Buffer.from(JSON.stringify({ uid: userId, ate: expiry, up: { ...payload, ...claims } })).toString("base64");
};

/** Tells a page's SDK of new tokens. @returns how many characters that takes. */
export const announceTokens = (exchange: Exchange, session: TellingSession): number => {
  if (!readsFrontToken(exchange)) return 0;
  const told = frontToken(session);
  expose(exchange, "front-token", told);
  return told.length;
};

export const announceEnd = (exchange: Exchange, transfer: TokenTransfer): void => {
  if (transfer === "header") {
    expose(exchange, "st-access-token", "");
    expose(exchange, "st-refresh-token", "");
  }
  if (readsFrontToken(exchange)) expose(exchange, "front-token", "remove");
};

/** Tells a page's SDK, which may hold no state of its own, that a refresh may help. */
export const announceRefreshable = (exchange: Exchange): void => {
  if (readsFrontToken(exchange) && exchange.canWrite()) expose(exchange, "session-status", "refresh");
};
