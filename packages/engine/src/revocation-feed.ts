import type { SessionHandle } from "./session.js";

export interface RevocationFeed {
  /** Calls the listener for each revoked session this process learns of. Returns stop. */
  subscribe(listener: (revoked: { readonly handle: SessionHandle; readonly at: number }) => void): () => void;
}
