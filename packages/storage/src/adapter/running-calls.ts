/**
 * Calls that are under way, for a close that waits for their end. Only counted: a `Set` that calls enter and leave keeps
 * the ones of each table it has outgrown in memory until a full collection, and costs more than some calls do.
 */
export class RunningCalls {
  #count = 0;
  #whenNone: (() => void)[] = [];

  /** Does the work, and counts it meanwhile. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) for (const resolve of this.#whenNone.splice(0)) resolve();
    }
  }

  /** Resolves when nothing is under way, however it ended. */
  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#whenNone.push(resolve));
  }
}
