import type { AccessTokenClaims, UseReport } from "@pawl/engine";

/** A session's activity is told at most so often; storage writes it as rarely. */
const ACTIVITY_INTERVAL = 60_000;
/** Sessions remembered as told, in each of two generations. */
const MOST_REMEMBERED = 50_000;
/** Notes that wait while they cannot be sent; further ones are dropped, for a later use is noted again. */
const MOST_WAITING = 10_000;
/** Notes in one message, as the core's API takes them. */
const BATCH = 1000;
/** How long the notes that wait may hold up a close, in milliseconds. */
const LAST_ATTEMPT = 1000;
/** Pause after a failed message, in milliseconds. */
const PAUSE = 1000;

export interface UseReportsOptions {
  readonly send: (uses: readonly UseReport[]) => Promise<void>;
  /** The reuse window, ms. */
  readonly window: () => number;
}

/** What was told of a session. */
interface Told {
  readonly seq: number;
  readonly confirmed: boolean;
  readonly at: number;
}

const isOlder = (age: number, window: number): boolean => age > window || window === 0;

/**
 * Tells the backend, in the background and in batches, which access tokens are in use: the first use of an unconfirmed
 * one that is older than the reuse window (this is how a theft comes to light early, DESIGN 3), and each session's
 * activity once a minute. It delays no request; what cannot be sent is tried again.
 */
export class UseReports {
  readonly #send: UseReportsOptions["send"];
  readonly #window: () => number;
  #told = new Map<string, Told>();
  #toldBefore = new Map<string, Told>();
  #waiting: UseReport[] = [];
  #sending: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ send, window }: UseReportsOptions) {
    this.#send = send;
    this.#window = window;
  }

  /** Takes note of a verified token. */
  note(claims: AccessTokenClaims, now: number): void {
    const { handle, seq, issuedAt } = claims;
    const age = now - issuedAt;
    const toConfirm = claims.parentSeq !== undefined && isOlder(age, this.#window());
    // Right after login or refresh there is nothing to tell: the row knows that much.
    if (!toConfirm && age < ACTIVITY_INTERVAL) return;
    const told = this.#told.get(handle) ?? this.#toldBefore.get(handle);
    const isTold = told !== undefined && now - told.at < ACTIVITY_INTERVAL;
    if (isTold && (!toConfirm || (told.confirmed && told.seq >= seq))) return;
    this.#remember(handle, { seq, confirmed: toConfirm, at: now });
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ handle, seq, issuedAt });
    this.#startSending();
  }

  /** Sends what waits. Resolves when it was sent, could not be, or a second has passed. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (limit = setTimeout(resolve, LAST_ATTEMPT)));
    const sent = Promise.resolve(this.#sending).then(() => this.#sendAll());
    await Promise.race([sent, late]);
    clearTimeout(limit);
  }

  #remember(handle: string, told: Told): void {
    if (this.#told.size >= MOST_REMEMBERED) {
      this.#toldBefore = this.#told;
      this.#told = new Map();
    }
    this.#told.set(handle, told);
  }

  #startSending(): void {
    if (this.#sending !== undefined || this.#pause !== undefined || this.#closed) return;
    this.#sending = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#sendAll())
      .finally(() => (this.#sending = undefined));
  }

  /** Notes that arrive while a batch is on its way make the next one. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      try {
        await this.#send(batch);
      } catch {
        this.#waiting = [...batch, ...this.#waiting].slice(0, MOST_WAITING);
        if (this.#closed) return;
        this.#pause = setTimeout(() => {
          this.#pause = undefined;
          this.#startSending();
        }, PAUSE).unref();
        return;
      }
    }
  }
}
