import { formatDuration, parseDuration } from "@pawl/engine";

/** How the values of one kind are read, described and shown. */
export interface ValueType<T> {
  /** For the reference page: `integer`, `text`, … */
  readonly name: string;
  /** Completes "must be …". */
  readonly accepted: string;
  /** Reads what YAML gave; undefined when it is not of this type. */
  read(value: unknown): T | undefined;
  /** Turns the text of an environment variable or option into what YAML would have given. */
  fromText(text: string): unknown;
  /** As it would stand in config.yaml. */
  show(this: void, value: T): string;
}

interface Range {
  readonly min: number;
  readonly max?: number;
}

const within = (value: number, range: Range | undefined): boolean =>
  range === undefined || (value >= range.min && value <= (range.max ?? Number.MAX_VALUE));

const rangeText = (range: Range | undefined, show: (value: number) => string): string =>
  range === undefined
    ? ""
    : range.max === undefined
      ? ` of at least ${show(range.min)}`
      : ` from ${show(range.min)} to ${show(range.max)}`;

const numberFromText = (text: string): unknown => (/^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

/** A whole number. */
export const integer = (range?: Range): ValueType<number> => ({
  name: "integer",
  accepted: `an integer${rangeText(range, String)}`,
  read: (value) => (Number.isSafeInteger(value) && within(value as number, range) ? (value as number) : undefined),
  fromText: numberFromText,
  show: String,
});

/** A number that may have a fraction; never NaN or infinite. */
export const decimal: ValueType<number> = {
  name: "number",
  accepted: "a number",
  read: (value) => (Number.isFinite(value) ? (value as number) : undefined),
  fromText: numberFromText,
  show: String,
};

export const boolean: ValueType<boolean> = {
  name: "boolean",
  accepted: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
  fromText: (text) => (text === "true" ? true : text === "false" ? false : text),
  show: String,
};

// A plain scalar that YAML would read as something else than this text is quoted.
const showText = (value: string): string =>
  /^[A-Za-z/.][\w/.:=@*-]*$/.test(value) && !/^(true|false|null|~|\.nan|[+-]?\.inf)$|:$/i.test(value)
    ? value
    : JSON.stringify(value);

/** Text that is not empty. `accepted` says more than that where there is more to say. */
export const text = (accepted = "text"): ValueType<string> => ({
  name: "text",
  accepted,
  read: (value) => (typeof value === "string" && value.trim() !== "" ? value : undefined),
  fromText: (text) => text,
  show: showText,
});

/** One of a few words. */
export const choice = <T extends string>(...words: readonly T[]): ValueType<T> => ({
  name: "choice",
  accepted: words.length === 2 ? words.join(" or ") : `one of ${words.join(", ")}`,
  read: (value) => words.find((word) => word === value),
  fromText: (text) => text,
  show: (value) => value,
});

/** A list of texts: a YAML list, or one text with commas. Never empty. */
export const textList = (accepted: string): ValueType<readonly string[]> => ({
  name: "list of text",
  accepted,
  read: (value) => {
    const items: readonly unknown[] = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [];
    const texts = items.map((item) => (typeof item === "string" ? item.trim() : ""));
    return texts.length > 0 && !texts.includes("") ? texts : undefined;
  },
  fromText: (text) => text,
  show: (value) => `[${value.map((item) => JSON.stringify(item)).join(", ")}]`,
});

/** A duration such as `30m`, in milliseconds once read. */
export const duration = (range: Range): ValueType<number> => ({
  name: "duration",
  accepted: `a duration${rangeText(range, formatDuration)}, such as 30m or 12h (units s, m, h, d, w)`,
  read: (value) => {
    const read = typeof value === "string" ? parseDuration(value) : undefined;
    return read !== undefined && within(read, range) ? read : undefined;
  },
  fromText: (text) => text,
  show: formatDuration,
});
