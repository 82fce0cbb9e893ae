import type { TokenHeaders } from "./options.js";

export interface HeaderTokensOptions {
  /**
   * Keeps the tokens in IndexedDB, so that tabs share them and they survive the page. Any script that ever runs on the
   * origin can then take the refresh token away and use it elsewhere. False unless given: in memory, for this page alone.
   */
  readonly persist?: boolean | undefined;
}

/**
 * Tokens in headers instead of cookies, for where cookies do not go: an API on another site, a frame, a webview.
 * @example init({ apiDomain: "https://api.example.net", tokens: headerTokens() })
 */
export const headerTokens = ({ persist = false }: HeaderTokensOptions = {}): TokenHeaders => ({
  persist,
  authorize(headers, { tokens }, use) {
    if (tokens !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${tokens[use]}`);
  },
  receive(headers) {
    const access = headers.get("st-access-token");
    const refresh = headers.get("st-refresh-token");
    return access === null || access === "" || refresh === null ? undefined : { access, refresh };
  },
});
