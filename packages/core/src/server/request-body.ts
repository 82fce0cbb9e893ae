import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";

/** Chunks are joined at this number: a body that arrives byte by byte would otherwise take hundreds of times its size. */
const MOST_PIECES = 1024;

/** A body, or why there is none. */
export type BodyOutcome = { readonly text: string } | "too_large" | "not_text";

/**
 * Reads a body of at most `limit` bytes and calls `done` once; never, when the client goes away before its end.
 * What follows a body that is too large is dropped as it comes in.
 */
export const readBody = (message: IncomingMessage, limit: number, done: (outcome: BodyOutcome) => void): void => {
  const { headers } = message;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) {
    done({ text: "" });
    return;
  }
  if (Number(headers["content-length"]) > limit) {
    message.resume();
    done("too_large");
    return;
  }
  let chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (chunks.length === MOST_PIECES) chunks = [Buffer.concat(chunks, size)];
    if (size <= limit) return;
    message.off("data", onData);
    message.off("end", onEnd);
    message.resume();
    done("too_large");
  };
  const onEnd = (): void => {
    const bytes = Buffer.concat(chunks, size);
    done(isUtf8(bytes) ? { text: bytes.toString("utf8") } : "not_text");
  };
  message.on("data", onData);
  message.on("end", onEnd);
};
