import { inspect } from "node:util";
import { parseDuration } from "@pawl/engine";

/** A time span: `"15m"`, `"36h"`, `"100d"`, or milliseconds. */
export type Duration = string | number;

/** What an option accepts, in words and as a check. */
export interface Option<Value> {
  readonly accepts: string;
  /** In words; absent: nothing, or see the description. */
  readonly default: string | undefined;
  /** What a value must be that it is not; undefined: it is accepted. */
  readonly fault: (value: unknown) => string | undefined;
  /** Whether a message says what was given, which may be a key or hold a password. */
  readonly isShown: boolean;
  /** Carries the type alone. */
  readonly value?: Value;
}

/** Options by name. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** Options, some of which have to be given. */
export type WithRequired<Options, Name extends keyof Options> = Options & {
  readonly [Key in Name]-?: Exclude<Options[Key], undefined>;
};

/** The options of a table as an application gives them; the descriptions come along. */
export type OptionsOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: Table[Name] extends Option<infer Value> ? Value | undefined : never;
};

export const option = <Value>(
  accepts: string,
  isValid: (value: unknown) => boolean,
  { standard, isShown = true }: { readonly standard?: string | undefined; readonly isShown?: boolean } = {},
): Option<Value> => ({
  accepts,
  default: standard,
  fault: (value) => (isValid(value) ? undefined : accepts),
  isShown,
});

/** The same option, but no message says what was given. */
export const unshown = <Value>(option: Option<Value>): Option<Value> => ({ ...option, isShown: false });

export const text = (accepts: string, pattern = /^/, standard?: string): Option<string> =>
  option(accepts, (value) => typeof value === "string" && pattern.test(value), { standard });

export const secret = (accepts: string, pattern = /^/): Option<string> => {
  const ofText = unshown(text(accepts, pattern));
  return { ...ofText, fault: (value) => (typeof value === "string" ? ofText.fault(value) : "a text") };
};

export const flag = (standard: boolean): Option<boolean> =>
  option("true or false", (value) => typeof value === "boolean", { standard: String(standard) });

export const duration = (standard: string | undefined, { least = 0 } = {}): Option<Duration> =>
  option(
    `${least === 0 ? "a duration" : "a duration above 0"} such as "15m", or milliseconds`,
    (value) => (durationOf(value) ?? -1) >= least,
    { standard },
  );

export const time = (): Option<Date | string | number> =>
  option('a Date, a text such as "2027-03-31", or ms since the epoch', (value) => timeOf(value) !== undefined);

export const count = (accepts: string): Option<number> =>
  option(accepts, (value) => Number.isSafeInteger(value) && Number(value) > 0);

export const oneOf = <const Value extends string>(values: readonly Value[], standard?: Value): Option<Value> => {
  const quoted = values.map((value) => `"${value}"`).join(", ");
  return option(values.length > 1 ? `one of ${quoted}` : quoted, (value) => values.includes(value as Value), {
    standard: standard && `"${standard}"`,
  });
};

export const list = <Item>(accepts: string, isItem: (item: unknown) => boolean, least = 0): Option<readonly Item[]> =>
  option(accepts, (value) => Array.isArray(value) && value.length >= least && value.every(isItem));

export const hook = <Hook>(): Option<Hook> =>
  option("a function", (value) => typeof value === "function", { isShown: false });

export const objectWith = <Value>(accepts: string, method: string): Option<Value> =>
  option(accepts, (value) => typeof (value as Readonly<Record<string, unknown>> | null)?.[method] === "function", {
    isShown: false,
  });

/** Options of their own. */
export const group = <Value>(): Option<Value> =>
  option("an object", (value) => typeof value === "object" && value !== null && !Array.isArray(value), {
    isShown: false,
  });

export const either = <One, Other>(one: Option<One>, other: Option<Other>): Option<One | Other> =>
  option(
    `${one.accepts}, or ${other.accepts}`,
    (value) => one.fault(value) === undefined || other.fault(value) === undefined,
    { isShown: one.isShown && other.isShown },
  );

/** A time span in milliseconds; undefined for what is none. */
export const durationOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === "string" ? parseDuration(value) : undefined;
};

/** A time in ms since the epoch; undefined for what is none. */
export const timeOf = (value: unknown): number | undefined => {
  const isTime = value instanceof Date || typeof value === "number" || /^\d{4}-\d\d-\d\d/u.test(String(value));
  const at = isTime ? new Date(value as Date).getTime() : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

/** A value as a message shows it, also what JSON does not know, such as a `bigint`. */
const shown = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value)
    : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });

/**
 * Refuses what cannot be right, and names that mean nothing: a rule that was misspelt would silently not hold.
 * @throws TypeError naming the option and what it accepts.
 */
export const checkOptions = (
  options: Readonly<Record<string, unknown>>,
  table: OptionTable,
  {
    within = "",
    elsewhere = {},
  }: { readonly within?: string; readonly elsewhere?: Readonly<Record<string, string>> } = {},
): void => {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const known = Object.hasOwn(table, name) ? table[name] : undefined;
    const path = within + name;
    if (known === undefined) {
      const why = elsewhere[name] ?? "there is no such option";
      throw new TypeError(`${path} cannot be given here: ${why}`);
    }
    const wanted = known.fault(value);
    if (wanted === undefined) continue;
    if (known.isShown) throw new TypeError(`${path} must be ${wanted}, not ${shown(value)}`);
    throw new TypeError(`${path} must be ${wanted}`);
  }
};
