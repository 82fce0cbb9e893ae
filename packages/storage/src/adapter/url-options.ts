import { StorageError } from "../errors.js";

/** What is wrong with a storage URL. The message must hold no part of the URL that may be secret. */
export const invalidUrl = (message: string): StorageError => new StorageError("invalid_url", message);

/**
 * Options of other clients, by name: what to write instead, or what comes of a value: an option of ours with its value, nothing
 * where it is so anyhow, or what to write instead.
 */
export type ForeignOptions<Name extends string> = Readonly<
  Record<string, string | ((value: string) => readonly [name: Name, value: string] | string | undefined)>
>;

/** The options of a storage URL. Methods throw StorageError `invalid_url`; no message holds a value. */
export class UrlOptions<Name extends string> {
  readonly #kind: string;
  readonly #given = new Map<Name, string>();

  /**
   * @param kind of the store, for messages: `MySQL`.
   * @param names of all options there are.
   * @param foreign options that URLs written for other clients have; where ours says the same, ours holds.
   */
  constructor(
    kind: string,
    names: readonly Name[],
    query: URLSearchParams | string | undefined,
    foreign: ForeignOptions<Name> = {},
  ) {
    this.#kind = kind;
    const seen = new Set<string>();
    const taken: (readonly [Name, string])[] = [];
    for (const [name, value] of new URLSearchParams(query)) {
      if (seen.has(name)) throw invalidUrl(`the ${kind} option "${name}" is given twice`);
      seen.add(name);
      const known = names.find((each) => each === name);
      const rule = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
      if (known !== undefined) this.#given.set(known, value);
      else if (rule === undefined)
        throw invalidUrl(`unknown ${kind} option "${name}"; accepted are ${names.join(", ")}`);
      else {
        const meaning = typeof rule === "string" ? rule : rule(value);
        if (typeof meaning === "string")
          throw invalidUrl(`the ${kind} option "${name}" cannot be taken as it stands: ${meaning}`);
        if (meaning !== undefined) taken.push(meaning);
      }
    }
    for (const [name, value] of taken) if (!this.#given.has(name)) this.#given.set(name, value);
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

/** Whole seconds as milliseconds, for options of others that count in seconds. */
export const inMilliseconds = (seconds: string): string => (/^\d{1,3}$/u.test(seconds) ? `${seconds}000` : seconds);
