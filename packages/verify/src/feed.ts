import { authorized, demand, readTexts } from "./answers.js";
import { DEADLINE, DOUBTFUL_SILENCE, LONGEST, LONGEST_PAUSE, ROOM, SHORTEST_PAUSE, SILENCE } from "./limits.js";
import type { FeedOptions } from "./options.js";

/** Access tokens from before `at` and below `payloadVersion` are to be refreshed. `at` is infinite where the session has ended. */
export interface Change {
  readonly at: number;
  readonly payloadVersion: number;
}

/** The core's feed of ends and changes. */
export interface Feed {
  /** By handle, in the order in which they were heard. */
  readonly heard: ReadonlyMap<string, Change>;
  /** Settled once it is known what happened so far, or that it cannot be known now. */
  readonly ready: Promise<void>;
  /** Whether an end would have been heard of. */
  stands(): boolean;
  /** What has cut it. */
  cause?: unknown;
  close(): void;
}

/** What a message of the core says, if not something that another release knows. */
interface Told extends Change {
  readonly handle: string;
  readonly accessTokenValidity: number;
}

/** The cursor is what may stand in a header again: those of the core have no other form. */
const EVENT = /^event: (?:(revoked)|(changed)|\w+)\ndata: (.+)(?:\nid: ([!-~]+))?$/;

/**
 * Follows what the core tells of sessions (server-sent events, WHATWG HTML section 9.2): after a cut it goes on where it
 * stood, with pauses that grow to ten seconds. An event of which only a part came is not heard: it comes again.
 */
export const followFeed = ({ url, key }: FeedOptions, clock: { now(): number }): Feed => {
  const heard = new Map<string, Change & { readonly heardAt: number }>();
  let keepFor = 0;
  let cursor: string | undefined;
  let failures = 0;
  let heardAt = 0;
  let connection: AbortController;
  let timer: ReturnType<typeof setTimeout>;
  let isClosed = false;
  let settle: () => void;

  const cut = (): void => connection.abort();
  const after = (millis: number, then: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(then, millis);
  };

  const hear = (block: string): void => {
    const now = clock.now();
    const [, hasEnded, hasChanged, data = "{}", id] = block.match(EVENT) ?? [];
    const { handle, at, payloadVersion, accessTokenValidity } = JSON.parse(data) as Told;
    if ((hasEnded || hasChanged) && heard.get(handle)?.at !== Infinity) {
      heard.delete(handle);
      heard.set(handle, { at: hasEnded ? Infinity : at, payloadVersion, heardAt: now });
      for (const [oldest, { heardAt }] of heard) {
        if (now - heardAt < keepFor + ROOM) break;
        heard.delete(oldest);
      }
    }
    if (accessTokenValidity > keepFor) {
      keepFor = accessTokenValidity;
      const resumed = cursor;
      cursor = "";
      // What was kept for too short a time has to be heard again.
      demand(!resumed);
    }
    cursor = id ?? cursor;
    // The last event of all that happened so far has an id.
    if (id || heardAt) {
      heardAt = now;
      failures = 0;
      feed.cause = undefined;
      settle();
    }
  };

  const follow = async (): Promise<void> => {
    connection = new AbortController();
    after(DEADLINE, cut);
    try {
      const response = await fetch(url, {
        headers: { ...authorized(key), accept: "text/event-stream", ...(cursor && { "last-event-id": cursor }) },
        redirect: "manual",
        signal: connection.signal,
      });
      // The cursor may be what is refused; without one the feed starts an access token's life ago.
      if (response.status === 400) cursor = "";
      let text = "";
      await readTexts(response, (part) => {
        after(SILENCE, cut);
        const blocks = (text + part).split("\n\n");
        text = blocks.pop() as string;
        demand(text.length < LONGEST);
        blocks.forEach(hear);
      });
    } catch (error) {
      feed.cause = error;
    }
    cut();
    heardAt = 0;
    settle();
    const longest = Math.min(SHORTEST_PAUSE * 2 ** failures++, LONGEST_PAUSE);
    if (!isClosed) after(longest * Math.random(), () => void follow());
  };

  const feed: Feed = {
    heard,
    ready: new Promise((resolve) => {
      settle = resolve;
      setTimeout(resolve, DEADLINE);
    }),
    stands: () => clock.now() - heardAt < DOUBTFUL_SILENCE,
    close() {
      isClosed = true;
      after(0, cut);
    },
  };
  void follow();
  return feed;
};
