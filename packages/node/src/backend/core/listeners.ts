/** Who wants to be told. */
export class Listeners<Told> {
  readonly #listeners = new Set<(told: Told) => void>();

  tell(told: Told): void {
    for (const listener of this.#listeners) listener(told);
  }

  /** Returns stop; one listener may subscribe several times. */
  subscribe(listener: (told: Told) => void): () => void {
    const own = (told: Told): void => listener(told);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
