import type { TokenHeaders } from "./options.js";
import type { RecordStore } from "./record-store.js";
import type { SharedSession } from "./shared-session.js";

/** A device's safe store, in the shape of `expo-secure-store`. */
export interface TokenStore {
  getItemAsync(key: string): Promise<string | null>;
  setItemAsync(key: string, value: string): Promise<void>;
  deleteItemAsync(key: string): Promise<void>;
}

export interface HeaderTokensOptions {
  /**
   * Keeps the tokens in IndexedDB, so that tabs share them and they survive the page. Any script that ever runs on the
   * origin can then take the refresh token away and use it elsewhere. False unless given: in memory, for this page alone.
   */
  readonly persist?: boolean | undefined;
  /** Keeps the tokens where there are no pages: in an application of React Native. */
  readonly store?: TokenStore | undefined;
}

/** The stores of devices take letters, digits, `.`, `-` and `_`. */
const KEY = "pawl";

/** Keeps the record in a token store, one step after another. */
const recordIn = (store: TokenStore): RecordStore => {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    update(change) {
      const step = async (): Promise<SharedSession | undefined> => {
        const text = await store.getItemAsync(KEY);
        const kept = text === null ? undefined : (JSON.parse(text) as SharedSession);
        const next = change(kept);
        if (next?.front) await store.setItemAsync(KEY, JSON.stringify(next));
        else if (next) await store.deleteItemAsync(KEY);
        return next ?? kept;
      };
      const result = turn.then(step, step);
      turn = result;
      return result;
    },
  };
};

/**
 * Tokens in headers instead of cookies, for where cookies do not go: an API on another site, a frame, a webview, a native
 * application.
 * @example init({ apiDomain: "https://api.example.net", tokens: headerTokens() })
 */
export const headerTokens = ({ persist = false, store }: HeaderTokensOptions = {}): TokenHeaders => ({
  persist: store ? recordIn(store) : persist,
  authorize(headers, { tokens }, use) {
    if (tokens !== undefined && !headers.has("authorization")) headers.set("authorization", `Bearer ${tokens[use]}`);
  },
  receive(headers, known) {
    const access = headers.get("st-access-token");
    // A change in the session brings a new access token alone.
    const refresh = headers.get("st-refresh-token") ?? known?.refresh;
    return access && refresh ? { access, refresh } : known;
  },
});
