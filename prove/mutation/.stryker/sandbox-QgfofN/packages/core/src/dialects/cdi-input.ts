import type { JsonObject } from "@pawl/engine";
import { isJsonObject, parseJsonObject, type UnknownObject } from "../server/json-object.js";

/** What was sent is not of the form that the CDI wants. The message is the text of the answer, status 400. */
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

/** @throws InputError when the field is missing, null or not a string. */
export const stringField = (fields: UnknownObject, name: string): string => {
  const value = fields[name];
  if (typeof value !== "string") throw invalid(name);
  return value;
};

/** @throws InputError when the field is there and not a string; null is not absence. */
export const optionalStringField = (fields: UnknownObject, name: string): string | undefined =>
  fields[name] === undefined ? undefined : stringField(fields, name);

/** @throws InputError when the field is missing, null or not a boolean. */
export const booleanField = (fields: UnknownObject, name: string): boolean => {
  const value = fields[name];
  if (typeof value !== "boolean") throw invalid(name);
  return value;
};

/** @throws InputError when the field is there and not a boolean; null is not absence. */
export const optionalBooleanField = (fields: UnknownObject, name: string): boolean | undefined =>
  fields[name] === undefined ? undefined : booleanField(fields, name);

/** @throws InputError when the field is missing, null or not a whole number that JavaScript can hold. */
export const integerField = (fields: UnknownObject, name: string): number => {
  const value = fields[name];
  if (!Number.isSafeInteger(value)) throw invalid(name);
  return value as number;
};

/** @throws InputError when the field is missing, null or not an object. */
export const objectField = (fields: UnknownObject, name: string): JsonObject => {
  const value = fields[name];
  if (!isJsonObject(value)) throw invalid(name);
  return value as JsonObject;
};

/** @throws InputError when the field is there and not an array of strings. */
export const optionalStringsField = (fields: UnknownObject, name: string): readonly string[] | undefined => {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((element) => typeof element === "string")) throw invalid(name);
  return value;
};

/** The first parameter of that name. */
export const optionalQueryParameter = (query: string, name: string): string | undefined =>
  new URLSearchParams(query).get(name) ?? undefined;

/** The first parameter of that name. @throws InputError when there is none. */
export const queryParameter = (query: string, name: string): string => {
  const value = optionalQueryParameter(query, name);
  if (value === undefined) throw new InputError(`Field name '${name}' is missing in GET request`);
  return value;
};
