import { StorageError } from "../errors.js";

/** What is wrong with a storage URL. The message must hold no part of the URL that may be secret. */
export const invalidUrl = (message: string): StorageError => new StorageError("invalid_url", message);

/** The options of a storage URL. Methods throw StorageError `invalid_url`; no message holds a value. */
export class UrlOptions<Name extends string> {
  readonly #kind: string;
  readonly #given = new Map<Name, string>();

  /**
   * @param kind of the store, for messages: `MySQL`.
   * @param names of all options there are.
   */
  constructor(kind: string, names: readonly Name[], query: URLSearchParams | string | undefined) {
    this.#kind = kind;
    for (const [name, value] of new URLSearchParams(query)) {
      const known = names.find((each) => each === name);
      if (known === undefined) throw invalidUrl(`unknown ${kind} option "${name}"; accepted are ${names.join(", ")}`);
      if (this.#given.has(known)) throw invalidUrl(`the ${kind} option "${name}" is given twice`);
      this.#given.set(known, value);
    }
  }

  get names(): readonly Name[] {
    return [...this.#given.keys()];
  }

  get(name: Name): string | undefined {
    return this.#given.get(name);
  }

  oneOf<Value extends string>(name: Name, values: readonly Value[]): Value | undefined {
    const text = this.#given.get(name);
    const value = values.find((each) => each === text);
    if (value === undefined && text !== undefined) throw this.#wrong(name, `one of ${values.join(", ")}`);
    return value;
  }

  wholeNumber(
    name: Name,
    { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
  ): number {
    const text = this.#given.get(name);
    if (text === undefined) return otherwise;
    const value = /^\d{1,6}$/u.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw this.#wrong(name, `a whole number from ${least} to ${most}`);
  }

  /** The content of the files that options name, those that are given; `read` reads one. */
  files<Key extends string>(
    names: Readonly<Record<Key, Name>>,
    read: (path: string) => Buffer,
  ): { readonly [K in Key]?: Buffer } {
    const files: { [K in Key]?: Buffer } = {};
    for (const key in names) {
      const path = this.#given.get(names[key]);
      if (path !== undefined) files[key] = this.#read(names[key], () => read(path));
    }
    return files;
  }

  /** Decodes a part of the URL before its options; `what` names it in the message. */
  decode(text: string, what: string): string {
    try {
      return decodeURIComponent(text);
    } catch {
      throw invalidUrl(`the ${what} of a ${this.#kind} URL is not percent-encoded: % is written %25`);
    }
  }

  #read(name: Name, read: () => Buffer): Buffer {
    try {
      return read();
    } catch (cause) {
      const { code = "unknown error" } = cause as { readonly code?: string };
      const message = `the file of the ${this.#kind} option ${name} cannot be read (${code})`;
      throw new StorageError("invalid_url", message, { cause });
    }
  }

  #wrong(name: Name, wanted: string): StorageError {
    return invalidUrl(`the ${this.#kind} option ${name} is ${wanted}`);
  }
}
