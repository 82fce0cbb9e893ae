import { performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers";
import { callHook, warnOf } from "../application-hook.js";
import type { Binding } from "./binding.js";
import type { SocketEnd } from "./socket-end.js";
import { kindOf } from "./socket-kinds.js";

/** How long the event loop is held at a time, ms, when many sockets are closed at once. */
const SLICE = 10;
/** How long a client may take to close a socket on its side, ms; afterwards the connection is cut. */
const DEADLINE = 5000;

/** Closes sockets, some at a time, with those that other connections wait for in between. */
export class Endings {
  readonly #deadline: number;
  #waiting: [Binding, SocketEnd][] = [];
  #ending: Promise<void> | undefined;

  constructor(deadline = DEADLINE) {
    this.#deadline = deadline;
  }

  end(binding: Binding, end: SocketEnd): void {
    this.#waiting.push([binding, end]);
    this.#ending ??= this.#endAll().finally(() => (this.#ending = undefined));
  }

  /** When all that were to be closed have been told. */
  async settled(): Promise<void> {
    await this.#ending;
  }

  async #endAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const some = this.#waiting;
      this.#waiting = [];
      const until = performance.now() + SLICE;
      let ended = 0;
      for (const [binding, end] of some) {
        this.#endOne(binding, end);
        ended += 1;
        if (performance.now() >= until) break;
      }
      this.#waiting = [...some.slice(ended), ...this.#waiting];
    }
  }

  #endOne({ socket, onEnd }: Binding, end: SocketEnd): void {
    const kind = kindOf(socket);
    if (onEnd !== undefined) void callHook(() => onEnd(end));
    const attempt = (work: () => void): void => {
      try {
        if (!kind.isClosed(socket)) work();
      } catch (error) {
        warnOf(error);
      }
    };
    attempt(() => kind.end(socket, end));
    setTimeout(() => attempt(() => kind.abort(socket)), this.#deadline).unref();
  }
}
