import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StreamSink } from "./exchange.js";

/**
 * A sink that ends when the reader leaves, leaves what was sent unread for `unreadTimeout` milliseconds, or `stop` is
 * aborted. Nothing is buffered beyond one write: a slow reader slows only itself.
 */
export const createStreamSink = (
  response: ServerResponse,
  { stop, unreadTimeout }: { readonly stop: AbortSignal; readonly unreadTimeout: number },
): StreamSink => {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const closed = AbortSignal.any([gone.signal, stop]);
  return {
    closed,
    async write(text) {
      if (closed.aborted || response.write(text)) return;
      const timer = setTimeout(() => response.destroy(), unreadTimeout);
      await once(response, "drain", { signal: closed }).catch(() => undefined);
      clearTimeout(timer);
    },
  };
};
