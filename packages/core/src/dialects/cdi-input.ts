import type { JsonObject } from "@pawl/engine";
import { isJsonObject, parseJsonObject, type UnknownObject } from "../server/json-object.js";

/** The input is not what the CDI requires. The message is the body of the answer, status 400. */
export class InputError extends Error {
  override readonly name = "InputError";
}

const invalid = (field: string): InputError => new InputError(`Field name '${field}' is invalid in JSON input`);

/** @throws InputError when the body is not a JSON object. */
export const readFields = (body: string): UnknownObject => {
  const fields = parseJsonObject(body);
  if (fields === undefined) throw new InputError("Invalid Json Input");
  return fields;
};

type Reader<T> = (fields: UnknownObject, name: string) => T;

/** Reads a field. @throws InputError when it is missing, null or fails the test. */
const field =
  <T>(fits: (value: unknown) => boolean): Reader<T> =>
  (fields, name) => {
    const value = fields[name];
    if (!fits(value)) throw invalid(name);
    return value as T;
  };

/** The same for a field that may be absent; null is not absence. */
const optional =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (fields, name) =>
    fields[name] === undefined ? undefined : read(fields, name);

const isString = (value: unknown): boolean => typeof value === "string";

export const stringField = field<string>(isString);
export const optionalStringField = optional(stringField);
export const booleanField = field<boolean>((value) => typeof value === "boolean");
export const optionalBooleanField = optional(booleanField);
/** A whole number that JavaScript can hold. */
export const integerField = field<number>(Number.isSafeInteger);
export const objectField = field<JsonObject>(isJsonObject);
export const optionalObjectField = optional(objectField);
export const optionalStringsField = optional(
  field<readonly string[]>((value) => Array.isArray(value) && value.every(isString)),
);

/** The first parameter of that name. */
export const optionalQueryParameter = (query: string, name: string): string | undefined =>
  new URLSearchParams(query).get(name) ?? undefined;

/** The first parameter of that name. @throws InputError when there is none. */
export const queryParameter = (query: string, name: string): string => {
  const value = optionalQueryParameter(query, name);
  if (value === undefined) throw new InputError(`Field name '${name}' is missing in GET request`);
  return value;
};
