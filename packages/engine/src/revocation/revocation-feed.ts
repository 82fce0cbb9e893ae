import type { EndReason, FeedCursor, Millis, SessionReference } from "@pawl/storage";
import type { SessionHandle } from "../session.js";

/** A session that ended, when, and why; a core of an earlier release does not tell why. */
export interface Revoked {
  readonly handle: SessionHandle;
  readonly at: number;
  readonly reason?: EndReason | undefined;
}

export interface RevocationFeed {
  /** Calls the listener for each revoked session this process learns of, once. Returns stop. */
  subscribe(listener: (revoked: Revoked) => void): () => void;
  /**
   * Reads what other processes have revoked, or announced as changed. Runs by itself soon after they did; call it where
   * that may have failed.
   */
  catchUp(): Promise<void>;
  /** The store's time at the start of the last look after which everything in both feeds was known. */
  readonly readAt: Millis;
}

/** The feed's other end: sessions that this process ends are marked here before the caller gets its answer. */
export interface RevocationMarks {
  /** @returns the handles, in order. */
  mark(
    sessions: readonly SessionReference[],
    end: { readonly at: Millis; readonly reason: EndReason },
  ): readonly SessionHandle[];
}

/** A page of the feed for a reader elsewhere. */
export interface RevokedPage {
  readonly revoked: readonly Revoked[];
  readonly cursor: FeedCursor;
}
