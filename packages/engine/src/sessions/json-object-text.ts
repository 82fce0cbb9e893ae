import { EngineError } from "../errors.js";

/**
 * The JSON of an object that comes back from it as it was: plain objects, arrays, texts, numbers. What writes itself
 * (`toJSON`, as a `Date` does) is taken at its word; a `Map` or an instance of a class would become an empty object.
 * @throws EngineError `invalid_input` naming the member, `payload_too_large`.
 */
export const jsonObjectText = (name: string, value: object, limit: number): string => {
  if (!isPlainObject(value)) throw invalid(`${name} must be a plain object`);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    // A cycle, a BigInt, nesting beyond the stack. The cause may quote the value, so it stays out.
    throw invalid(`${name} cannot be written as JSON (${cause instanceof Error ? cause.name : "error"})`);
  }
  if (text?.[0] !== "{") throw invalid(`${name} must be a plain object`);
  const bytes = Buffer.byteLength(text);
  if (bytes > limit)
    throw new EngineError("payload_too_large", `${name} has ${bytes} bytes of JSON; at most ${limit} are kept`);
  // Once it is known to be bounded and without a cycle.
  checkMembers(name, value);
  return text;
};

/** An object on the way into a value. */
interface Place {
  readonly value: object;
  readonly key: string;
  readonly within: Place | undefined;
}

const checkMembers = (name: string, root: object): void => {
  const pending: Place[] = [{ value: root, key: name, within: undefined }];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const { value } = place;
    if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") continue;
    if (!Array.isArray(value) && !isPlainObject(value)) throw invalid(`${pathOf(place)} must be a plain object`);
    for (const key of Object.keys(value)) {
      const member: unknown = (value as Readonly<Record<string, unknown>>)[key];
      if (typeof member === "object" && member !== null) pending.push({ value: member, key, within: place });
    }
  }
};

/** `data.cart[2].tags`. */
const pathOf = ({ key, within }: Place): string => {
  if (within === undefined) return key;
  if (Array.isArray(within.value)) return `${pathOf(within)}[${key}]`;
  return /^[\w$]+$/u.test(key) ? `${pathOf(within)}.${key}` : `${pathOf(within)}[${JSON.stringify(key)}]`;
};

const isPlainObject = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a test runner's, a vm's) have a prototype of their own whose prototype is null.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const invalid = (message: string): EngineError => new EngineError("invalid_input", message);
