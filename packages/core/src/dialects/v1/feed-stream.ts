import type { SessionEngine } from "@pawl/engine";
import type { StreamReply } from "../../server/dialect.js";

export interface FeedStreamOptions {
  /** Where the reader stands; without one it gets what happened within one access token lifetime. */
  readonly cursor: string | undefined;
  /** Milliseconds between two comments on a silent stream, and between two looks at the store. */
  readonly heartbeat: number;
}

type Feeds = Pick<SessionEngine, "revocations" | "revocationsSince" | "changes" | "changesSince" | "policy">;

/** What both feeds hold after a cursor. */
interface FeedsPage {
  readonly messages: readonly string[];
  readonly cursor: string;
}

const COMMENT = ": still here\n\n";
/** Between the cursors of both feeds, of which none holds it. */
const SEPARATOR = "|";

/**
 * What the store tells of sessions, revoked or changed, as server-sent events (WHATWG HTML section 9.2), after how long access
 * tokens live, so that a reader knows for how long to keep it. A first comment follows what happened so far. Each reader
 * follows the store from its own cursor, woken by the engine: a slow reader does not delay the others, and nothing is buffered
 * for it. The cursor is the `id` of the last event of each batch, so a reader that resumes from it misses nothing; events may
 * repeat.
 * @throws what the store throws before the stream has started.
 */
export const feedStream = async (engine: Feeds, { cursor, heartbeat }: FeedStreamOptions): Promise<StreamReply> => {
  const { accessTokenValidity } = engine.policy;
  const read = await readFeeds(engine, cursor);
  const first: FeedsPage = { ...read, messages: [message("settings", { accessTokenValidity }), ...read.messages] };
  return {
    status: 200,
    contentType: "text/event-stream; charset=utf-8",
    async run(sink) {
      // What happened between the first look and the subscription is found by looking again at once.
      let news = true;
      let wake = (): void => undefined;
      const hear = (): void => {
        news = true;
        wake();
      };
      const stops = [engine.revocations.subscribe(hear), engine.changes.subscribe(hear)];
      sink.closed.addEventListener("abort", () => wake());
      const wakeOrHeartbeat = (): Promise<void> =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, heartbeat);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      try {
        let page = first;
        // A store with several writers reads an overlap again each time: what the page before held was sent.
        let sent: ReadonlySet<string> = new Set();
        let isCaughtUp = false;
        while (!sink.closed.aborted) {
          const known = sent;
          const fresh = page.messages.filter((message) => !known.has(message));
          sent = new Set(page.messages);
          if (fresh.length > 0) await sink.write(batch({ messages: fresh, cursor: page.cursor }));
          else if (!news) {
            if (!isCaughtUp) await sink.write(COMMENT);
            isCaughtUp = true;
            if (!news) await wakeOrHeartbeat();
            if (!news) await sink.write(COMMENT);
          }
          if (sink.closed.aborted) return;
          news = false;
          page = await readFeeds(engine, page.cursor);
        }
      } finally {
        for (const stop of stops) stop();
      }
    },
  };
};

/** A cursor that is none of ours, or only half of one, starts that feed one access token lifetime ago. */
const readFeeds = async (engine: Feeds, cursor: string | undefined): Promise<FeedsPage> => {
  const [revocations, changes] = cursor?.split(SEPARATOR).map((part) => ({ cursor: part })) ?? [];
  const [{ revoked, ...one }, { changed, ...other }] = await Promise.all([
    engine.revocationsSince(revocations),
    engine.changesSince(changes),
  ]);
  return {
    messages: [
      ...revoked.map(({ handle, at, reason }) => message("revoked", { handle, at, reason })),
      ...changed.map(({ handle, payloadVersion, at }) => message("changed", { handle, payloadVersion, at })),
    ],
    cursor: one.cursor + SEPARATOR + other.cursor,
  };
};

const message = (event: "settings" | "revoked" | "changed", data: object): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n`;

const batch = ({ messages, cursor }: FeedsPage): string => `${messages.join("\n")}id: ${cursor}\n\n`;
