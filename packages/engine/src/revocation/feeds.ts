import { type FeedCursor, type Millis, nextFlight, type Storage } from "@pawl/storage";
import { type Changed, type ChangedPage, type ChangeFeed, type ChangeMarks, mergeChanges } from "./change-feed.js";
import { createFollowedFeed } from "./followed-feed.js";
import type { Revoked, RevocationFeed, RevocationMarks, RevokedPage } from "./revocation-feed.js";
import { handleOf } from "../session-handle.js";
import type { AccessTokenVerifier } from "../verification/access-token-verifier.js";

type From = { readonly cursor: FeedCursor } | undefined;

export interface FollowedFeeds {
  readonly revocations: RevocationFeed & RevocationMarks & { readSince(from: From): Promise<RevokedPage> };
  readonly changes: ChangeFeed & ChangeMarks & { readSince(from: From): Promise<ChangedPage> };
  stop(): void;
}

/**
 * Follows what the store tells of sessions, ended or changed, into a verifier and to listeners. When it resolves, everything of
 * the last access token lifetime is known.
 */
export const followFeeds = async ({
  storage,
  verifier,
  lifetime,
}: {
  readonly storage: Storage;
  readonly verifier: Pick<AccessTokenVerifier, "markRevoked" | "markChanged">;
  /** How long access tokens live. */
  readonly lifetime: Millis;
}): Promise<FollowedFeeds> => {
  const common = { now: () => storage.now(), lifetime };
  const revocations = createFollowedFeed({
    ...common,
    read: (from) => storage.revocationsSince(from),
    newsOf: ({ at, reason, ...session }): Revoked => ({ handle: handleOf(session), at, reason }),
    // A session ends once.
    merge: (known) => known,
    mark: ({ handle, at }) => verifier.markRevoked(handle, at),
  });
  const changes = createFollowedFeed({
    ...common,
    read: (from) => storage.changesSince(from),
    newsOf: ({ at, payloadVersion, ...session }): Changed => ({ handle: handleOf(session), payloadVersion, at }),
    merge: mergeChanges,
    mark: (changed) => verifier.markChanged(changed),
  });

  let readAt = storage.now();
  const catchUp = nextFlight(async () => {
    const startedAt = storage.now();
    await Promise.all([revocations.readAll(), changes.readAll()]);
    readAt = startedAt;
  });
  // Maintenance calls `catchUp` too and reports its failure; the next wake reads on from the cursors.
  const unwatch = storage.watchFeeds(() => void catchUp().catch(() => undefined));
  try {
    await catchUp();
  } catch (error) {
    unwatch();
    throw error;
  }

  return {
    revocations: {
      subscribe: revocations.subscribe,
      catchUp,
      get readAt() {
        return readAt;
      },
      mark(sessions, end) {
        const handles = sessions.map(handleOf);
        for (const handle of handles) revocations.note({ handle, ...end });
        return handles;
      },
      async readSince(from) {
        const { items, cursor } = await revocations.readSince(from);
        return { revoked: items, cursor };
      },
    },
    changes: {
      subscribe: changes.subscribe,
      catchUp,
      markChanged(row, at) {
        changes.note({ handle: handleOf(row), payloadVersion: row.payloadVersion, at });
      },
      async readSince(from) {
        const { items, cursor } = await changes.readSince(from);
        return { changed: items, cursor };
      },
    },
    stop() {
      unwatch();
      revocations.stop();
      changes.stop();
    },
  };
};
