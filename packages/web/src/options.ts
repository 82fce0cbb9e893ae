import type { RecordStore } from "./record-store.js";
import type { HeaderTokens, SharedSession } from "./shared-session.js";
import type { WebStepUp } from "./step-up.js";

/** How tokens travel where they do not travel in cookies; made by `headerTokens` of `@pawl/web/header`. */
export interface TokenHeaders {
  /** Whether tabs share the session, and it survives the page; or where an application without pages keeps it. */
  readonly persist: RecordStore | boolean;
  authorize(headers: Headers, record: SharedSession, use: "access" | "refresh"): void;
  /** The tokens after an answer; `known`: those before. */
  receive(headers: Headers, known: HeaderTokens | undefined): HeaderTokens | undefined;
}

export interface WebOptions {
  /** Where the API is, such as `https://api.example.com`; the page's own origin unless given. */
  readonly apiDomain?: string | undefined;
  /** `/session/refresh` unless given. */
  readonly refreshPath?: string | undefined;
  /** `/signout` unless given. */
  readonly signOutPath?: string | undefined;
  /** With what status the API answers when an access token is not accepted; 401 unless given. */
  readonly sessionExpiredStatus?: number | undefined;
  /**
   * Lets the user prove again who they are where an answer wants that (RFC 9470), and resolves when the server has
   * accepted it: the request is then sent once more. Requests that wait for it at once ask once. Where it rejects, and for
   * requests that are sent meanwhile, the answer is handed on as it is.
   * @example init({ onStepUp: async ({ acr_values }) => { await askForCode(acr_values); } })
   */
  readonly onStepUp?: ((wanted: WebStepUp) => unknown) | undefined;
  /** Whether a page's global `fetch` is replaced; true unless given. Otherwise call `fetch` of what `init` returns. */
  readonly wrapFetch?: boolean | undefined;
  /** Tokens in headers instead of cookies. */
  readonly tokens?: TokenHeaders | undefined;
}
