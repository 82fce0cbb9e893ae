import type { WarnOnce } from "../application-hook.js";
import { isFromOwnPage, isSafe } from "@pawl/protocol";
import type { Exchange } from "./exchange.js";
import { hidesHost, isProduction } from "./local-development.js";
import { SessionError } from "../session-error.js";

const OTHER_SITE = "pages of other origins that may send it belong in the option origins";
const HIDDEN_HOST =
  "a request came from an https page to a loopback Host: either from another site, or through a proxy that passes its own " +
  `address as Host, where it has to pass the browser's (nginx: proxy_set_header Host $http_host); ${OTHER_SITE}`;

/**
 * @param warnOnce told of what only the proxy's settings can mend, for the answer does not say it.
 * @throws SessionError `CSRF` for an unsafe request that a page of another site may have sent.
 */
export const checkOwnPage = (exchange: Exchange, origins: readonly string[], warnOnce: WarnOnce): void => {
  if (isSafe(exchange)) return;
  const isHidden = hidesHost(exchange) && !origins.includes(exchange.header("origin") ?? "");
  // Outside production the page's next request, which has no `Origin`, would be taken for development's and find no session.
  if (isFromOwnPage(exchange, origins) && (!isHidden || isProduction())) return;
  if (!isHidden) throw new SessionError("CSRF", `this request came from another site; ${OTHER_SITE}`);
  warnOnce("PAWL_HIDDEN_HOST", HIDDEN_HOST);
  throw new SessionError("CSRF", HIDDEN_HOST);
};
