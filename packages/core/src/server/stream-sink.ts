import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StreamSink } from "./dialect.js";

/**
 * A sink that ends when the reader leaves, leaves what was sent unread for `unreadTimeout` milliseconds, or `stop` is
 * aborted. Nothing is buffered beyond one write: a slow reader slows only itself.
 */
export const createStreamSink = (
  response: ServerResponse,
  { stop, unreadTimeout }: { readonly stop: AbortSignal; readonly unreadTimeout: number },
): StreamSink => {
  // By hand: on Node 20 a signal of AbortSignal.any that has a listener is never collected.
  const controller = new AbortController();
  const close = (): void => controller.abort();
  stop.addEventListener("abort", close);
  response.once("close", () => {
    stop.removeEventListener("abort", close);
    close();
  });
  if (stop.aborted) close();
  const closed = controller.signal;
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
