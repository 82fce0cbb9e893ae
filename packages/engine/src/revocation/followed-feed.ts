import { type FeedCursor, type FeedPage, type FeedStart, type Millis, millis, nextTurn } from "@pawl/storage";
import type { SessionHandle } from "../session.js";
import { SKEW } from "./change-feed.js";
import { createRecentSessions } from "./recent-sessions.js";

/** What a feed tells of a session. */
interface News {
  readonly handle: SessionHandle;
  readonly at: number;
}

export interface FollowedFeedOptions<Line, Told extends News> {
  /** The store's time. */
  readonly now: () => Millis;
  /** How long access tokens live: what is older matters to no verifier. */
  readonly lifetime: Millis;
  readonly read: (from: FeedStart) => Promise<FeedPage<Line>>;
  readonly newsOf: (line: Line) => Told;
  /** What is to be remembered of both; `known` itself where the other says nothing new. */
  readonly merge: (known: Told, news: Told) => Told;
  /** Told before every listener. */
  readonly mark: (news: Told) => void;
}

/** One feed of the store, as this process follows it. */
export interface FollowedFeed<Told> {
  /** Takes in what happened: read from the feed, or done by this process. */
  note(news: Told): void;
  readonly subscribe: (listener: (news: Told) => void) => () => void;
  /** Reads to the end. */
  readAll(): Promise<void>;
  /** From the cursor on; for none, or one of another life of the store, from one access token lifetime ago. */
  readSince(
    from: { readonly cursor: FeedCursor } | undefined,
  ): Promise<{ readonly items: readonly Told[]; readonly cursor: FeedCursor }>;
  stop(): void;
}

export const createFollowedFeed = <Line, Told extends News>({
  now,
  lifetime,
  read,
  newsOf,
  merge,
  mark,
}: FollowedFeedOptions<Line, Told>): FollowedFeed<Told> => {
  const listeners = new Set<(news: Told) => void>();
  /** Longer than the feed is read again for, so that it never reports a session twice. */
  const seen = createRecentSessions<Told>(lifetime + SKEW);
  let cursor: FeedCursor | undefined;

  const note = (news: Told): void => {
    const at = now();
    const known = seen.get(news.handle, at);
    const all = known === undefined ? news : merge(known, news);
    if (all === known) return;
    seen.set(news.handle, all, at);
    mark(news);
    // In a turn of its own, so that a listener that throws does not look like a revocation or a change that failed.
    for (const listener of listeners) void Promise.resolve().then(() => listeners.has(listener) && listener(news));
  };

  const pageFrom = async (from: FeedCursor | undefined): Promise<Extract<FeedPage<Line>, { kind: "page" }>> => {
    const page = await read(from === undefined ? { at: millis(now() - lifetime) } : { cursor: from });
    return page.kind === "page" ? page : pageFrom(undefined);
  };

  return {
    note,
    subscribe(listener) {
      const own = (news: Told): void => listener(news);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    async readAll() {
      for (let more = true; more;) {
        const page = await pageFrom(cursor);
        for (const line of page.items) note(newsOf(line));
        ({ cursor, more } = page);
        if (more) await nextTurn();
      }
    },
    async readSince(from) {
      const page = await pageFrom(from?.cursor);
      return { items: page.items.map(newsOf), cursor: page.cursor };
    },
    stop: () => listeners.clear(),
  };
};
