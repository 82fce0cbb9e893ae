import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@pawl/engine";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SessionError } from "../session-error.js";

type Result = StandardSchemaV1.Result<object>;

/** Checks what an application keeps in a session, by the schema it gave, if it gave one. */
export interface Shape<Value extends object> {
  /**
   * What is to be stored of an input.
   * @throws TypeError that names the member which does not fit, or does not come back from JSON as it was.
   */
  accept(input: object): Promise<JsonObject>;
  /**
   * What was stored, as the application's types have it; at once unless the schema is asynchronous.
   * @throws SessionError `UNKNOWN` where it does not fit, as after a deployment with another schema.
   */
  read(stored: JsonObject): Value | Promise<Value>;
}

const pathOf = (path: StandardSchemaV1.Issue["path"]): string =>
  (path ?? []).map((part) => `.${String(typeof part === "object" ? part.key : part)}`).join("");

const issuesOf = (name: string, { issues }: StandardSchemaV1.FailureResult): string =>
  issues.map(({ path, message }) => `${name}${pathOf(path)}: ${message}`).join("; ");

const isAsync = <Value>(value: Value | Promise<Value>): value is Promise<Value> => value instanceof Promise;

/** The first member in which two JSON values differ. */
const differingPath = (one: unknown, other: unknown): string => {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return "";
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const name of names) {
    const [left, right] = [(one as JsonObject)[name], (other as JsonObject)[name]];
    if (!isDeepStrictEqual(left, right)) return `.${name}${differingPath(left, right)}`;
  }
  return "";
};

export const createShape = <Input extends object, Value extends object>(
  name: string,
  schema: StandardSchemaV1<Input, Value> | undefined,
  write: (value: JsonObject) => string,
): Shape<Value> => {
  if (schema === undefined)
    return {
      // The engine, or the client of a core, checks it.
      accept: async (input) => input as JsonObject,
      read: (stored) => stored as Value,
    };

  const validate = (value: object): Result | Promise<Result> => schema["~standard"].validate(value);
  const validated = async (value: object): Promise<object> => {
    const result = await validate(value);
    if (result.issues !== undefined) throw new TypeError(issuesOf(name, result));
    return result.value;
  };
  const readResult = (stored: JsonObject, result: Result): Value => {
    if (result.issues !== undefined)
      throw new SessionError("UNKNOWN", `what is stored does not fit the schema: ${issuesOf(name, result)}`);
    return (isDeepStrictEqual(result.value, stored) ? stored : result.value) as Value;
  };
  /** Tokens that were verified before share their payload, so each is validated once. */
  const known = new WeakMap<JsonObject, Value>();
  const remember = (stored: JsonObject, value: Value): Value => {
    known.set(stored, value);
    return value;
  };

  return {
    async accept(input) {
      const output = await validated(input);
      const stored = JSON.parse(write(output as JsonObject)) as JsonObject;
      const again = await validated(stored);
      if (!isDeepStrictEqual(again, stored))
        throw new TypeError(
          `${name}${differingPath(again, stored)}: the schema changes what is stored each time it is read; ` +
            "let it accept its own output unchanged, in values that JSON knows",
        );
      return stored;
    },

    read(stored) {
      const value = known.get(stored);
      if (value !== undefined) return value;
      const result = validate(stored);
      return isAsync(result)
        ? result.then((settled) => remember(stored, readResult(stored, settled)))
        : remember(stored, readResult(stored, result));
    },
  };
};
