import type { CoreRequest } from "../../server/dialect.js";

/** Longer ones hold no token of ours: a bound on what parsing may take. */
const MOST_CHARACTERS = 131_072;

/** A form's parameters by name, or what is wrong with it. */
export type Form =
  | { readonly parameters: ReadonlyMap<string, string> }
  | { readonly status: number; readonly fault: string };

/**
 * Reads a posted form as RFC 6749 section 3.1 asks: a parameter without a value counts as left out, none may come twice, and
 * unknown ones are passed over. What stands in the query is not looked at.
 */
export const readForm = ({ headers, body }: Pick<CoreRequest, "headers" | "body">): Form => {
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(headers["content-type"] ?? ""))
    return { status: 415, fault: "the body must be application/x-www-form-urlencoded" };
  if (body.length > MOST_CHARACTERS) return { status: 413, fault: "the form is too large" };
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(body)) {
    if (parameters.has(name)) return { status: 400, fault: "a parameter must not come twice" };
    parameters.set(name, value);
  }
  return { parameters };
};
