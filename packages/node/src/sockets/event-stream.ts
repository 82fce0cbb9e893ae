import { type SocketEnd, toldEnd } from "./socket-end.js";

/** A message of server-sent events (WHATWG HTML section 9.2) that tells why there are no more. */
export const endMessage = (end: SocketEnd): string => `event: end\ndata: ${JSON.stringify(toldEnd(end))}\n\n`;

/** What stands behind a whole message; empty before the first one. */
const AFTER_MESSAGE = /^$|(?:\n\n|\r\r|\r\n\r\n)$/;

/** The body of an answer of server-sent events that can be ended before its source is. */
export class EndableStream {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isOver = false;
  /** The end of what was passed on. */
  #tail = "";
  #onClose: ((this: EndableStream) => void) | undefined;

  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source.getReader();
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pass(),
        cancel: async (reason) => {
          this.#over();
          await this.#source.cancel(reason);
        },
      },
      // What is produced waits at its source, as if there were nothing in between.
      { highWaterMark: 0 },
    );
  }

  onClose(listener: (this: EndableStream) => void): void {
    this.#onClose = listener;
  }

  /** The last message is this one; where the source is in the midst of another, the client is cut off, which drops that. */
  end(end: SocketEnd): void {
    if (this.#isOver) return;
    this.#over();
    this.#source.cancel(end.reason).catch(() => undefined);
    if (!AFTER_MESSAGE.test(this.#tail)) return this.abort();
    this.#controller?.enqueue(new TextEncoder().encode(endMessage(end)));
    this.#controller?.close();
  }

  /** Cuts off a client that does not read what it was sent. */
  abort(): void {
    this.#controller?.error(new Error("the session of this stream has ended"));
  }

  async #pass(): Promise<void> {
    try {
      const { done, value } = await this.#source.read();
      if (this.#isOver) return;
      if (done) {
        this.#over();
        this.#controller?.close();
        return;
      }
      this.#tail = (this.#tail + String.fromCharCode(...value.subarray(-4))).slice(-4);
      this.#controller?.enqueue(value);
    } catch (error) {
      if (this.#isOver) return;
      this.#over();
      throw error;
    }
  }

  #over(): void {
    this.#isOver = true;
    this.#onClose?.();
  }
}
