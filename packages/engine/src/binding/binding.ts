import type { IssuedSession, RefreshSessionInput, SessionHandle } from "../session.js";

/** A browser's request to bind a session to a key of its device. */
export interface BindSessionInput extends Pick<RefreshSessionInput, "form" | "algorithm" | "enableAntiCsrf"> {
  /** What came with it, at most nine; a browser that logged in through another site sends none. */
  readonly refreshTokens: readonly string[];
  /** The key, and its signature over the `registration` of a login or a step-up: a JWT. */
  readonly proof: string;
}

export type BindOutcome =
  /** Also for a repetition. */
  | {
      readonly kind: "bound";
      readonly handle: SessionHandle;
      /** What the key has to sign for the first refresh. */
      readonly challenge: string;
      /** For the browser to keep in place of what it has; absent where it sent no refresh token: then it is to refresh at once. */
      readonly issued?: IssuedSession | undefined;
    }
  /** Nothing was changed: the session goes on as it was. */
  | {
      readonly kind: "refused";
      readonly why: "policy" | "proof" | "challenge" | "no_session" | "refreshed" | "bound";
      readonly message: string;
    };
