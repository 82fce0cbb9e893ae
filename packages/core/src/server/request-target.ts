import type { Access, Dialect, Operation } from "./dialect.js";

/** The path and the query of a request, nothing decoded. */
interface RequestTarget {
  readonly path: string;
  /** What follows `?`; empty when there is none. */
  readonly query: string;
}

/** Splits a request target; the absolute form names the authority again (RFC 9112 section 3.2.2). */
export const splitTarget = (url: string): RequestTarget => {
  const target = url.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = target.indexOf("?");
  return mark === -1 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
};

/**
 * Whether a request target is percent-encoded UTF-8 throughout. What is not would be read as U+FFFD somewhere, and name
 * another user than the one who was meant.
 */
export const isPercentEncoded = (url: string): boolean => {
  if (!url.includes("%")) return true;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
};

/** Who answers a request, and with what. */
interface Routed {
  /** Decides how a refusal looks. */
  readonly dialect: Dialect;
  readonly operation?: Operation;
  /** For a path that is known and a method that is not: the methods it takes. */
  readonly allow?: readonly string[];
  readonly access: Access;
  readonly browsers?: Operation["browsers"] | undefined;
}

/** Asks the dialects in order; the first one refuses every path that no other owns. */
export const createRouter =
  (dialects: readonly [Dialect, ...Dialect[]]) =>
  (method: string, path: string): Routed => {
    for (const dialect of dialects) {
      const found = dialect.find(method, path);
      if (found === undefined) continue;
      if ("operation" in found) {
        const { access, browsers } = found.operation;
        return { dialect, operation: found.operation, access, browsers };
      }
      return { dialect, allow: found.allow, access: found.access };
    }
    return { dialect: dialects.find(({ owns }) => owns(path)) ?? dialects[0], access: "full" };
  };

/** A HEAD is a GET whose answer has no body (RFC 9110 section 9.3.2), which node:http leaves out. */
export const withoutHead = (method: string): string => (method === "HEAD" ? "GET" : method);
