/** A JSON object from outside, unchecked. */
export type UnknownObject = Readonly<Record<string, unknown>>;

/** Deepest nesting that is read; beyond some thousands, writing it again would overflow the stack. */
const DEEPEST = 1000;

/** Reads a JSON object; undefined for anything else, and for one nested deeper than 1000. */
export const parseJsonObject = (text: string): UnknownObject | undefined => {
  // A level takes two characters, so that a short text cannot be too deep.
  if (text.length > 2 * DEEPEST && isTooDeep(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isJsonObject(value) ? value : undefined;
};

/** Whether a parsed JSON value is an object: neither null nor an array. */
export const isJsonObject = (value: unknown): value is UnknownObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isTooDeep = (text: string): boolean => {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > DEEPEST) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
};
