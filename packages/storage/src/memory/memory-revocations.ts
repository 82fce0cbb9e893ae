import { WakeListeners } from "../adapter/wake-listeners.js";
import type { Millis } from "../identifiers.js";
import type { RevocationRecord } from "../records.js";
import type { RevocationCursor, RevocationPage } from "../storage.js";

/** The revocation feed of a `MemoryStorage`: numbered entries; a cursor is `<epoch>.<number of the last entry read>`. */
export class MemoryRevocations {
  readonly #epoch = crypto.randomUUID();
  readonly listeners = new WakeListeners({ begin: () => undefined, end: () => undefined });
  #entries: { readonly number: number; readonly revocation: RevocationRecord }[] = [];
  #last = 0;

  append(revocations: readonly RevocationRecord[]): void {
    if (revocations.length === 0) return;
    for (const revocation of revocations) this.#entries.push({ number: ++this.#last, revocation });
    this.listeners.wake();
  }

  since(from: { readonly cursor: RevocationCursor } | { readonly at: Millis }): RevocationPage {
    const cursor = `${this.#epoch}.${this.#last}`;
    if ("at" in from) {
      const found = this.#entries.filter(({ revocation }) => revocation.at >= from.at);
      return { kind: "page", revocations: found.map(({ revocation }) => revocation), cursor, more: false };
    }
    const number = this.#numberOf(from.cursor);
    if (number === undefined) return { kind: "unknown_cursor" };
    const found = this.#entries.filter((entry) => entry.number > number);
    return { kind: "page", revocations: found.map(({ revocation }) => revocation), cursor, more: false };
  }

  deleteBefore(before: Millis, limit: number): number {
    const old = new Set(this.#entries.filter(({ revocation }) => revocation.at < before).slice(0, limit));
    this.#entries = this.#entries.filter((entry) => !old.has(entry));
    return old.size;
  }

  #numberOf(cursor: RevocationCursor): number | undefined {
    const [epoch, digits] = cursor.split(".");
    const number = Number(digits);
    return epoch === this.#epoch && Number.isSafeInteger(number) && number <= this.#last ? number : undefined;
  }
}
