import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers";
import { StorageError } from "../errors.js";

interface Waiting<Call, Outcome> {
  readonly call: Call;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
  /** When the caller gives up, by `performance.now()`. */
  readonly deadline: number;
}

/** How a `CallBatch` works. */
export interface CallBatchOptions<Call, Outcome> {
  /** How many batches are on their way at once; meanwhile the next one gathers. */
  readonly lanes: number;
  /** The most calls in a batch. */
  readonly limit: number;
  /** About how many bytes a call takes; a batch is bounded. */
  readonly weigh?: (call: Call) => number;
  /**
   * What a call is about. While one that failed a batch is being done for itself, others about the same go the same way, so
   * that a locked row holds up no other call.
   */
  readonly keyOf?: (call: Call) => string;
  /** Whether a failure is of one call rather than of all; `invalid_record` unless given. */
  readonly isOfOneCall?: (error: unknown) => boolean;
  /** After this many milliseconds a call that has not begun is refused. */
  readonly timeout: number;
  /** Does the calls in one step, or none of them; gives their outcomes in order. */
  readonly run: (calls: readonly Call[]) => Promise<readonly Outcome[]>;
}

/** The weight of a batch, unless one call alone is heavier. */
const weightLimit = 256 * 1024;

const isInvalidRecord = (error: unknown): boolean => error instanceof StorageError && error.code === "invalid_record";

/**
 * Does the calls of one turn of the event loop, and those that come while the lanes are taken, in one step. Each caller
 * learns its own outcome: where one call fails a batch, all are done again, each for itself.
 */
export class CallBatch<Call, Outcome> {
  readonly #options: CallBatchOptions<Call, Outcome>;
  readonly #waiting: Waiting<Call, Outcome>[] = [];
  /** What calls that are being done for themselves are about: further ones go the same way, and hold up no batch. */
  readonly #apart = new Map<unknown, number>();
  #busy = 0;
  #isScheduled = false;

  constructor(options: CallBatchOptions<Call, Outcome>) {
    this.#options = options;
  }

  add(call: Call): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const waiting = { call, resolve, reject, deadline: performance.now() + this.#options.timeout };
      if (this.#apart.size > 0 && this.#apart.has(this.#keyOf(call))) {
        void this.#runAlone(waiting);
        return;
      }
      this.#waiting.push(waiting);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#busy === this.#options.lanes) return;
    this.#isScheduled = true;
    // After the poll phase: the requests of every socket that was readable in this turn end up in one batch.
    setImmediate(() => {
      this.#isScheduled = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#run(batch);
      this.#schedule();
    });
  }

  #take(): readonly Waiting<Call, Outcome>[] {
    const { limit, weigh = () => 0 } = this.#options;
    const now = performance.now();
    const batch: Waiting<Call, Outcome>[] = [];
    let weight = 0;
    for (let next = this.#waiting[0]; next !== undefined && batch.length < limit; next = this.#waiting[0]) {
      weight += weigh(next.call);
      if (batch.length > 0 && weight > weightLimit) break;
      this.#waiting.shift();
      if (next.deadline > now) batch.push(next);
      else next.reject(new StorageError("unavailable", "the server is too slow: the call was not begun in time"));
    }
    return batch;
  }

  async #run(batch: readonly Waiting<Call, Outcome>[]): Promise<void> {
    this.#busy += 1;
    try {
      const outcomes = await this.#options.run(batch.map(({ call }) => call));
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as Outcome);
    } catch (error) {
      const { isOfOneCall = isInvalidRecord } = this.#options;
      if (batch.length > 1 && isOfOneCall(error)) for (const one of batch) void this.#runAlone(one);
      else for (const { reject } of batch) reject(error);
    } finally {
      this.#busy -= 1;
      this.#schedule();
    }
  }

  /** Outside the lanes, so that a call that has to wait is all that waits. */
  async #runAlone({ call, resolve, reject }: Waiting<Call, Outcome>): Promise<void> {
    const key = this.#keyOf(call);
    this.#apart.set(key, (this.#apart.get(key) ?? 0) + 1);
    try {
      const [outcome] = await this.#options.run([call]);
      resolve(outcome as Outcome);
    } catch (error) {
      reject(error);
    }
    const others = (this.#apart.get(key) ?? 1) - 1;
    if (others === 0) this.#apart.delete(key);
    else this.#apart.set(key, others);
  }

  #keyOf(call: Call): unknown {
    return this.#options.keyOf?.(call) ?? call;
  }
}
