import type { JsonSchema } from "@pawl/protocol";
import { Compile } from "typebox/schema";
import { isJsonObject } from "../../server/json-object.js";

/** Says in one sentence what is wrong with a value; `undefined` when it fits the schema. Never quotes the value. */
type Validator = (value: unknown) => string | undefined;

/** How many items and members of a wrong value are looked at for the complaint: one more than our schemas allow in a list. */
const MOST_ITEMS = 1001;
const MOST_MEMBERS = 100;

/**
 * The first part of a value. `Errors` goes through everything, however much is wrong, and would hold up all other callers
 * for a megabyte of mistakes; the check itself ends at the first one.
 */
const firstPart = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map(firstPart);
  if (!isJsonObject(value)) return value;
  const members: [string, unknown][] = [];
  // Not Object.entries: of a hundred thousand members the values need not be gathered.
  for (const name in value) if (members.push([name, firstPart(value[name])]) === MOST_MEMBERS) break;
  return Object.fromEntries(members);
};

/** Longest member name that a complaint repeats. */
const LONGEST_NAME = 64;

/** Compiles a schema once; the check itself costs well under a microsecond. */
export const compileValidator = (schema: JsonSchema): Validator => {
  const compiled = Compile(schema);
  const { anyOf, description } = schema;
  return (value) => {
    if (compiled.Check(value)) return undefined;
    if (anyOf !== undefined && typeof description === "string") return description;
    // A member that is not allowed is reported as `false` on the member itself; say what is meant.
    const error = compiled.Errors(firstPart(value))[1].find(({ keyword }) => keyword !== "boolean");
    if (error === undefined) return "not of the documented form";
    const where = error.instancePath.slice(1).replaceAll("/", ".").slice(0, LONGEST_NAME);
    return where === "" ? error.message : `${where}: ${error.message}`;
  };
};

/**
 * Reads a query string by its schema: each parameter at most once, integers as numbers.
 * @returns the values, or which parameter is given twice.
 */
export const parseQuery = (
  schema: JsonSchema,
  query: string,
): { readonly values: Readonly<Record<string, unknown>> } | { readonly repeated: string } => {
  const { properties } = schema as { readonly properties: Readonly<Record<string, { readonly type?: string }>> };
  const values = new Map<string, unknown>();
  for (const [name, text] of new URLSearchParams(query)) {
    if (values.has(name)) return { repeated: name.slice(0, LONGEST_NAME) };
    const isInteger = properties[name]?.type === "integer" && /^-?\d{1,15}$/.test(text);
    values.set(name, isInteger ? Number(text) : text);
  }
  return { values: Object.fromEntries(values) };
};
