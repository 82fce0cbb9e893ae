import { type FeedCursor, type Millis, millis, type SessionRecord } from "@pawl/storage";
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
  /** As that of the revocations: both feeds are read together. */
  catchUp(): Promise<void>;
}

/** A page of the feed for a reader elsewhere. */
export interface ChangedPage {
  readonly changed: readonly Changed[];
  readonly cursor: FeedCursor;
}

/** The feed's other end: what this process changes is marked here before the caller gets its answer. */
export interface ChangeMarks {
  /** @param row the session after the change. */
  markChanged(row: Pick<SessionRecord, "id" | "tenantId" | "payloadVersion">, at: Millis): void;
}

/** How far the clocks may differ by which changes and access tokens are dated, ms. */
export const SKEW = 30_000;

/**
 * What is to be remembered of two changes of a session: the later one, or where their times are too near to tell, the
 * higher version and the later time.
 * @returns `known` where the other one says nothing new.
 */
export const mergeChanges = (known: Changed, other: Changed): Changed => {
  const later = other.at - known.at;
  if (later > SKEW) return other;
  const isNews = later >= -SKEW && (later > 0 || other.payloadVersion > known.payloadVersion);
  if (!isNews) return known;
  const payloadVersion = Math.max(known.payloadVersion, other.payloadVersion);
  return { ...known, payloadVersion, at: millis(Math.max(known.at, other.at)) };
};
