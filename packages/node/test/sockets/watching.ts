import { TestClock } from "@pawl/adapter-conformance";
import { onTestFinished } from "vitest";
import { createPawl, type JsonObject, type Pawl, type PawlOptions } from "../../src/index.js";
import { insideOf } from "../../src/pawl.js";
import { readPayload } from "../../src/sessions/payload-source.js";
import type { BindOptions } from "../../src/sockets/binding.js";
import { EndableStream } from "../../src/sockets/event-stream.js";
import { type BindableSession, Watch, type WatchOptions } from "../../src/sockets/watch.js";

export const HOUR = 3_600_000;

/** An instance on memory, closed when the test has ended. */
export const pawlOf = (options: Partial<PawlOptions> = {}): Pawl => {
  const pawl = createPawl({ storage: "memory:", clock: new TestClock(), ...options } as PawlOptions);
  onTestFinished(() => pawl.close());
  return pawl;
};

type LiveOf = WatchOptions["backend"]["liveOf"];

/**
 * Watches over sockets of an instance; rounds are made when a test wants one.
 * @param through what every question passes how sessions stand.
 */
export const watchOf = async (
  pawl: Pawl,
  {
    through = (answer) => answer,
    ...options
  }: Partial<WatchOptions> & { through?: (answer: ReturnType<LiveOf>) => ReturnType<LiveOf> } = {},
) => {
  await pawl.ready();
  const it = insideOf(pawl).serving();
  const asked: number[] = [];
  const backend = new Proxy(it.backend, {
    get(target, name) {
      if (name === "liveOf")
        return (handles: readonly string[]) => {
          asked.push(handles.length);
          return through(target.liveOf(handles));
        };
      return Reflect.get(target, name) as unknown;
    },
  });
  const read = (stored: JsonObject) => readPayload(it, stored);
  const watch = new Watch({ backend, readPayload: read, maxUnknown: HOUR, ...options });
  onTestFinished(() => watch.close());

  /** A stream that is bound to a session; what becomes of it. */
  const bind = (session: BindableSession, options: BindOptions<object> = {}) => {
    const ends: unknown[] = [];
    const socket = new EndableStream(new ReadableStream());
    watch.bind(socket, session, { ...options, onEnd: (end) => ends.push(end) });
    return { ends, socket };
  };
  const touch = (session: BindableSession): void =>
    it.uses.note({ handle: session.handle as never, seq: 0, issuedAt: 0 as never }, it.backend.now());
  return { watch, asked, bind, touch, uses: it.uses };
};
