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
   * What was stored, as the application's types have it, or that it does not fit, as after a deployment with another
   * schema; at once unless the schema is asynchronous.
   */
  read(stored: JsonObject): Value | Misfit | Promise<Value | Misfit>;
}

/** What is stored and does not fit the schema. */
export class Misfit {
  /** `UNKNOWN`: it says nothing about the session. */
  readonly error: SessionError;

  constructor(message: string, cause?: unknown) {
    this.error = new SessionError("UNKNOWN", `what is stored does not fit the schema: ${message}`, { cause });
  }
}

/** Makes a payload that does not fit an error of whoever reads it: nothing else of a session needs one. */
export const guardPayload = <Session extends { readonly payload: object }>(session: Session): Session => {
  const { payload } = session;
  if (!(payload instanceof Misfit)) return session;
  return Object.defineProperty(session, "payload", {
    get: () => fitting(payload),
    enumerable: true,
    configurable: true,
  });
};

/** @throws SessionError `UNKNOWN` for what does not fit. */
export const fitting = <Value extends object>(value: Value | Misfit): Value => {
  if (value instanceof Misfit) throw value.error;
  return value;
};

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
  /** A schema that throws says nothing of the value. */
  const thrown = (cause: unknown): SessionError =>
    new SessionError("UNKNOWN", `the schema of the ${name} threw an error`, { cause });
  const validated = async (value: object): Promise<object> => {
    let result: Result;
    try {
      result = await validate(value);
    } catch (error) {
      throw thrown(error);
    }
    if (result.issues !== undefined) throw new TypeError(issuesOf(name, result));
    return result.value;
  };
  /** Tokens that were verified before share their payload, so each is validated once. */
  const known = new WeakMap<JsonObject, Value>();
  const judge = (stored: JsonObject, result: Result): Value | Misfit => {
    if (result.issues !== undefined) return new Misfit(issuesOf(name, result));
    const value = (isDeepStrictEqual(result.value, stored) ? stored : result.value) as Value;
    known.set(stored, value);
    return value;
  };
  const failed = (error: unknown): Misfit => new Misfit(`the schema of the ${name} threw an error`, error);

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
      try {
        const result = validate(stored);
        return isAsync(result) ? result.then((settled) => judge(stored, settled)).catch(failed) : judge(stored, result);
      } catch (error) {
        return failed(error);
      }
    },
  };
};
