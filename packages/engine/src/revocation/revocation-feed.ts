import {
  type FeedCursor,
  type FeedPage,
  type Millis,
  millis,
  nextFlight,
  type RevocationRecord,
  type SessionReference,
  type Storage,
} from "@pawl/storage";
import { handleOf } from "../session-handle.js";
import type { SessionHandle } from "../session.js";

/** A session that ended, and when. */
export interface Revoked {
  readonly handle: SessionHandle;
  readonly at: number;
}

export interface RevocationFeed {
  /** Calls the listener for each revoked session this process learns of, once. Returns stop. */
  subscribe(listener: (revoked: Revoked) => void): () => void;
  /** Reads what other processes have revoked. Runs by itself soon after they did; call it where that may have failed. */
  catchUp(): Promise<void>;
}

/** The feed's other end: sessions that this process ends are marked here before the caller gets its answer. */
export interface RevocationMarks {
  /** @returns the handles, in order. */
  mark(sessions: readonly SessionReference[], at: Millis): readonly SessionHandle[];
}

/** A page of the feed for a reader elsewhere. */
export interface RevokedPage {
  readonly revoked: readonly Revoked[];
  readonly cursor: FeedCursor;
}

export interface FollowedRevocations extends RevocationFeed, RevocationMarks {
  /** From the cursor on; for none, or one of another life of the store, from one access token lifetime ago. */
  readSince(from: { readonly cursor: FeedCursor } | undefined): Promise<RevokedPage>;
  stop(): void;
}

/**
 * Follows the store's revocations into a verifier and to listeners. When it resolves, everything that was revoked within
 * one access token lifetime is known.
 */
export const followRevocations = async (options: {
  readonly storage: Storage;
  readonly verifier: { markRevoked(handle: SessionHandle, at: number): void };
  /** How long access tokens live: older revocations matter to no verifier. */
  readonly lifetime: Millis;
}): Promise<FollowedRevocations> => {
  const { storage, verifier, lifetime } = options;
  const listeners = new Set<(revoked: Revoked) => void>();
  const seen = new Map<SessionHandle, number>();
  let cursor: FeedCursor | undefined;

  const note = (revoked: Revoked): void => {
    if (seen.has(revoked.handle)) return;
    seen.set(revoked.handle, revoked.at);
    verifier.markRevoked(revoked.handle, revoked.at);
    // In a turn of its own, so that a listener that throws does not look like a revocation that failed.
    for (const listener of listeners) void Promise.resolve().then(() => listeners.has(listener) && listener(revoked));
  };

  /** Twice a lifetime, so that reading the feed again never reports a session twice. */
  const forgetOld = (): void => {
    const horizon = storage.now() - 2 * lifetime;
    for (const [handle, at] of seen) {
      if (at >= horizon) return;
      seen.delete(handle);
    }
  };

  const pageFrom = async (
    from: FeedCursor | undefined,
  ): Promise<Extract<FeedPage<RevocationRecord>, { kind: "page" }>> => {
    const page = await storage.revocationsSince(
      from === undefined ? { at: millis(storage.now() - lifetime) } : { cursor: from },
    );
    return page.kind === "page" ? page : pageFrom(undefined);
  };

  const readAll = async (): Promise<void> => {
    for (let more = true; more;) {
      const page = await pageFrom(cursor);
      for (const { at, ...session } of page.items) note({ handle: handleOf(session), at });
      ({ cursor, more } = page);
    }
    forgetOld();
  };

  const catchUp = nextFlight(readAll);

  // Maintenance calls `catchUp` too and reports its failure; the next wake reads on from the cursor.
  const unwatch = storage.watchFeeds(() => void catchUp().catch(() => undefined));
  try {
    await catchUp();
  } catch (error) {
    unwatch();
    throw error;
  }

  return {
    subscribe(listener) {
      const own = (revoked: Revoked): void => listener(revoked);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    catchUp,
    mark(sessions, at) {
      const handles = sessions.map(handleOf);
      for (const handle of handles) note({ handle, at });
      return handles;
    },
    async readSince(from) {
      const page = await pageFrom(from?.cursor);
      return {
        revoked: page.items.map(({ at, ...session }) => ({ handle: handleOf(session), at })),
        cursor: page.cursor,
      };
    },
    stop() {
      unwatch();
      listeners.clear();
    },
  };
};
