import type { FeedCursor, Millis } from "@pawl/storage";
import type { SessionHandle } from "../session.js";

/** A session whose access tokens below a version do not hold any more, and since when. */
export interface Changed {
  readonly handle: SessionHandle;
  readonly payloadVersion: number;
  readonly at: Millis;
}

export interface ChangeFeed {
  /** Calls the listener for each announced change this process learns of; one may come twice. Returns stop. */
  subscribe(listener: (changed: Changed) => void): () => void;
}

/** A page of the feed for a reader elsewhere. */
export interface ChangedPage {
  readonly changed: readonly Changed[];
  readonly cursor: FeedCursor;
}
