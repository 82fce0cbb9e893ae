import { ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE, REFRESH_TOKEN_COOKIE } from "./cookie-name.js";
import { type Exchange, REFRESH_TOKEN_START, type TokenTransfer, bearerToken } from "@pawl/node/http";
import type { OpenedPawl } from "./opened-pawl.js";

/** The token a request carries in its `Authorization`, where tokens in headers are allowed. */
export const presentedBearer = ({ options }: Pick<OpenedPawl, "options">, exchange: Exchange): string | undefined =>
  options.headerMode === false ? undefined : bearerToken(exchange);

/** The refresh tokens of a request, and the way they came. */
export interface PresentedRefreshTokens {
  readonly tokens: readonly string[];
  readonly transfer: TokenTransfer;
}

/** The refresh tokens of a request. The answer goes the way they came: what was in a cookie is never told to a script. */
export const presentedRefreshTokens = (opened: OpenedPawl, exchange: Exchange): PresentedRefreshTokens => {
  const bearer = presentedBearer(opened, exchange);
  return bearer?.startsWith(REFRESH_TOKEN_START) === true
    ? { tokens: [bearer], transfer: "header" }
    : { tokens: opened.cookies.read(exchange, REFRESH_TOKEN_COOKIE), transfer: "cookie" };
};

/** Whether the cookies of a request show that there may be a session whose access token has ended. */
export const showsSession = ({ cookies }: OpenedPawl, exchange: Exchange): boolean =>
  [ACCESS_TOKEN_COOKIE, ID_REFRESH_TOKEN_COOKIE].some((cookie) => cookies.read(exchange, cookie).length > 0);

/** The handle that an access token names; it proves nothing. Empty where it names none. */
export const handleIn = (accessToken: string): string => {
  try {
    const [, body = ""] = accessToken.split(".");
    const claims: unknown = JSON.parse(Buffer.from(body, "base64url").toString());
    const { sessionHandle } = claims as { readonly sessionHandle?: unknown };
    return typeof sessionHandle === "string" ? sessionHandle : "";
  } catch {
    return "";
  }
};
