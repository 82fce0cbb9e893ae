/** A clock that stands still until it is moved. */
export class TestClock {
  #now = 1_800_000_000_000;
  now = () => this.#now as never;
  advance(by: number): void {
    this.#now += by;
  }
}
