import type { Millis } from "../identifiers.js";
import type { FeedCursor, FeedPage, FeedStart } from "../storage.js";

/** A feed of a `MemoryStorage`: numbered lines; a cursor is `<epoch>.<number of the last line read>`. */
export class MemoryFeed<Line extends { readonly at: Millis }> {
  readonly #epoch: string;
  readonly #wake: () => void;
  #entries: { readonly number: number; readonly line: Line }[] = [];
  #last = 0;

  constructor({ epoch, wake }: { readonly epoch: string; readonly wake: () => void }) {
    this.#epoch = epoch;
    this.#wake = wake;
  }

  append(lines: readonly Line[]): void {
    if (lines.length === 0) return;
    for (const line of lines) this.#entries.push({ number: ++this.#last, line });
    this.#wake();
  }

  since(from: FeedStart): FeedPage<Line> {
    const number = "at" in from ? 0 : this.#numberOf(from.cursor);
    if (number === undefined) return { kind: "unknown_cursor" };
    const found = this.#entries.filter((entry) => ("at" in from ? entry.line.at >= from.at : entry.number > number));
    return { kind: "page", items: found.map(({ line }) => line), cursor: `${this.#epoch}.${this.#last}`, more: false };
  }

  deleteBefore(before: Millis, limit: number): number {
    const old = new Set(this.#entries.filter(({ line }) => line.at < before).slice(0, limit));
    this.#entries = this.#entries.filter((entry) => !old.has(entry));
    return old.size;
  }

  #numberOf(cursor: FeedCursor): number | undefined {
    const [epoch, digits] = cursor.split(".");
    const number = Number(digits);
    return epoch === this.#epoch && Number.isSafeInteger(number) && number <= this.#last ? number : undefined;
  }
}
