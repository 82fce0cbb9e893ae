import { type CountPosition, decodeCountPosition, encodeCountPosition } from "../adapter/keyset-position.js";
import { countPage } from "../adapter/page.js";
import type { Millis } from "../identifiers.js";
import type { CountRecord } from "../records.js";
import type { CountSelector, Page, PageRequest } from "../storage.js";

const compareCounts = (left: CountPosition, right: CountPosition): number =>
  left.hour - right.hour || Buffer.compare(Buffer.from(left.name), Buffer.from(right.name));

/** The counts of a `MemoryStorage`. */
export class MemoryCounts {
  readonly #counts = new Map<string, CountRecord>();

  add(counts: readonly CountRecord[]): void {
    for (const { hour, name, count } of counts) {
      const position = encodeCountPosition({ hour, name });
      const present = this.#counts.get(position)?.count ?? 0;
      this.#counts.set(position, Object.freeze({ hour, name, count: present + count }));
    }
  }

  list({ from, to }: CountSelector, { limit, after }: PageRequest): Page<CountRecord> {
    const start = after === undefined ? undefined : decodeCountPosition(after);
    const found = [...this.#counts.values()]
      .filter(({ hour }) => from <= hour && hour < to)
      .filter((count) => start === undefined || compareCounts(start, count) < 0)
      .toSorted(compareCounts);
    return countPage(found, limit);
  }

  deleteBefore(before: Millis, limit: number): number {
    const old = [...this.#counts.values()].filter(({ hour }) => hour < before).slice(0, limit);
    for (const count of old) this.#counts.delete(encodeCountPosition(count));
    return old.length;
  }
}
