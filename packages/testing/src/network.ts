import type { Serve, SentRequest, ServedAnswer } from "./application.js";
import type { Timetable } from "./timetable.js";

/** What the network does to a request and its answer. */
export interface Fate {
  /** Ms to the server. */
  readonly there: number;
  /** Ms back. */
  readonly back: number;
  readonly isLost: boolean;
  /** Whether a proxy sends it twice, and passes on the second answer. */
  readonly isRepeated: boolean;
}

export const quiet: Fate = { there: 0, back: 0, isLost: false, isRepeated: false };

/** What `fetch` throws when no answer comes. */
export class AnswerLost extends TypeError {
  override readonly name = "TypeError";
  constructor() {
    super("fetch failed: the answer was lost on its way");
  }
}

export interface NetworkOptions {
  readonly timetable: Timetable;
  readonly serve: Serve;
}

/** How long a proxy waits before it tries again, in ms. */
const PATIENCE = 700;

/** A proxy repeats what can be repeated (RFC 9110 section 9.2.2), and, for this is to be harmless, a refresh. */
const isRepeatable = ({ method, url }: SentRequest): boolean =>
  method === "GET" || url.pathname.endsWith("/session/refresh");

/** A network that delays, loses, repeats and, by its delays, reorders. */
export class Network {
  readonly #options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** @throws AnswerLost. */
  async send(request: SentRequest, { there, back, isLost, isRepeated }: Fate): Promise<ServedAnswer> {
    const { timetable } = this.#options;
    await timetable.wait(there);
    let answer = await this.#serve(request);
    if (isRepeated && isRepeatable(request)) {
      await timetable.wait(PATIENCE);
      answer = await this.#serve(request);
    }
    await timetable.wait(back);
    if (isLost) throw new AnswerLost();
    return answer;
  }

  #serve(request: SentRequest): Promise<ServedAnswer> {
    const { timetable, serve } = this.#options;
    return timetable.during(serve(request));
  }
}
