import { nextTurn } from "@pawl/storage";

/** What happens at which time: the clock jumps from one moment to the next, and stands while an application works. */
export class Timetable {
  #now: number;
  readonly #due: { readonly at: number; readonly go: () => void }[] = [];
  readonly #working = new Set<Promise<unknown>>();

  /** @param start ms since the epoch. */
  constructor(start: number) {
    this.#now = start;
  }

  readonly now = (): number => this.#now;

  /** Resolves so many ms later. What is due at the same time happens in the order of the calls. */
  wait(ms: number): Promise<void> {
    return new Promise((go) => {
      const at = this.#now + ms;
      const before = this.#due.findLastIndex((other) => other.at <= at);
      this.#due.splice(before + 1, 0, { at, go });
    });
  }

  /** The clock stands until that has ended. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const settled = work.then(
      () => undefined,
      () => undefined,
    );
    this.#working.add(settled);
    void settled.then(() => this.#working.delete(settled));
    return work;
  }

  /** Lets time pass until that has ended. */
  async until<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = work.then(
      () => void (isOver = true),
      () => void (isOver = true),
    );
    for (;;) {
      await nextTurn();
      if (isOver) return work;
      if (this.#working.size > 0) {
        await Promise.all(this.#working);
        continue;
      }
      const next = this.#due.shift();
      // Nothing is due: whoever drives the browsers waits for something else.
      if (next === undefined) await Promise.race([over, nextTurn()]);
      else {
        this.#now = next.at;
        next.go();
      }
    }
  }
}
