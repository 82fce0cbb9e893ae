import { metaPage } from "../adapter/page.js";
import type { MetaRecord, Page, PageRequest } from "../storage.js";

/** The lasting facts of a `MemoryStorage`. */
export class MemoryMeta {
  readonly #values = new Map<string, string>();

  claim(name: string, value: string | undefined): string | undefined {
    if (value !== undefined && !this.#values.has(name)) this.#values.set(name, value);
    return this.#values.get(name);
  }

  replace(name: string, from: string, to: string): boolean {
    if (this.#values.get(name) !== from) return false;
    this.#values.set(name, to);
    return true;
  }

  list(prefix: string, { limit, after }: PageRequest): Page<MetaRecord> {
    const found = [...this.#values]
      .filter(([name]) => name.startsWith(prefix) && (after === undefined || name > after))
      .toSorted(([left], [right]) => (left < right ? -1 : 1));
    return metaPage(
      found.map(([name, value]) => ({ name, value })),
      limit,
    );
  }
}
