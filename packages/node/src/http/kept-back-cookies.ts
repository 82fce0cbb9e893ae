import { createWarnings } from "../application-hook.js";
import type { BackendOptions } from "../options/options.js";
import type { Exchange } from "./exchange.js";

/**
 * Looks at requests without a session's cookies. A page of another site may be in `origins` and still get no session, for
 * browsers send such a page's requests without cookies of `SameSite=Lax`, and keep none that it is given: this is said once.
 */
export const createKeptBackWarning = (
  options: Pick<BackendOptions, "origins" | "cookies" | "headerMode">,
): ((exchange: Exchange) => void) => {
  const { origins = [], cookies, headerMode } = options;
  const isProvidedFor = headerMode === true || cookies?.sameSite === "none";
  const warnOnce = createWarnings();
  return (exchange) => {
    const origin = exchange.header("origin");
    if (isProvidedFor || origin === undefined || !origins.includes(origin)) return;
    // A form that another site's page sends is a visit, which may bring and set cookies.
    const isVisit = exchange.header("sec-fetch-mode") === "navigate";
    if (isVisit || exchange.header("sec-fetch-site") !== "cross-site") return;
    warnOnce(
      "PAWL_CROSS_SITE_COOKIES",
      `pages of ${origin} are of another site, so browsers keep the session's cookies back from their requests: ` +
        'set cookies.sameSite to "none", or headerMode, for many browsers give pages of other sites no cookies at all',
    );
  };
};
