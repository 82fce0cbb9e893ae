import type { SessionEngine } from "@pawl/engine";
import type { FeedCursor } from "@pawl/storage";
import type { StreamReply } from "../../server/dialect.js";

type RevokedPage = Awaited<ReturnType<SessionEngine["revocationsSince"]>>;

export interface RevocationStreamOptions {
  /** Where the reader stands; without one it gets what was revoked within one access token lifetime. */
  readonly cursor: FeedCursor | undefined;
  /** Milliseconds between two comments on a silent stream, and between two looks at the store. */
  readonly heartbeat: number;
}

/**
 * The revocation feed as server-sent events (WHATWG HTML section 9.2). Each reader follows the store from its own
 * cursor, woken by the engine: a slow reader does not delay the others, and nothing is buffered for it. The cursor is
 * the `id` of the last event of each batch, so a reader that resumes from it misses nothing; handles may repeat.
 * @throws what the store throws before the stream has started.
 */
export const revocationStream = async (
  engine: Pick<SessionEngine, "revocations" | "revocationsSince">,
  { cursor, heartbeat }: RevocationStreamOptions,
): Promise<StreamReply> => {
  const first = await engine.revocationsSince(cursor === undefined ? undefined : { cursor });
  return {
    status: 200,
    contentType: "text/event-stream; charset=utf-8",
    async run(sink) {
      // What was revoked between the first look and the subscription is found by looking again at once.
      let news = true;
      let wake = (): void => undefined;
      const stop = engine.revocations.subscribe(() => {
        news = true;
        wake();
      });
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
        let page: RevokedPage = first;
        // A store with several writers reads an overlap again each time: what the page before held was sent.
        let sent: ReadonlySet<string> = new Set();
        while (!sink.closed.aborted) {
          const known = sent;
          const fresh = page.revoked.filter(({ handle }) => !known.has(handle));
          sent = new Set(page.revoked.map(({ handle }) => handle));
          if (fresh.length > 0) await sink.write(revocationEvents({ revoked: fresh, cursor: page.cursor }));
          else if (!news) {
            await wakeOrHeartbeat();
            if (!news) await sink.write(": still here\n\n");
          }
          if (sink.closed.aborted) return;
          news = false;
          page = await engine.revocationsSince({ cursor: page.cursor });
        }
      } finally {
        stop();
      }
    },
  };
};

/** A batch as events of type `revoked`. */
const revocationEvents = ({ revoked, cursor }: RevokedPage): string =>
  revoked
    .map(({ handle, at }, index) => {
      const id = index === revoked.length - 1 ? `id: ${cursor}\n` : "";
      return `event: revoked\n${id}data: ${JSON.stringify({ handle, at })}\n\n`;
    })
    .join("");
