import type { Access, Found, Operation } from "../server/dialect.js";

/** Operations by case-sensitive path and by method; `{name}` in a path stands for one segment. */
interface PathTable {
  readonly find: (method: string, path: string) => Found | undefined;
}

const strictest: readonly Access[] = ["full", "verifier", "open"];

/** Builds a table of `[method, path, operation]`. */
export const createPathTable = (entries: readonly (readonly [string, string, Operation])[]): PathTable => {
  const paths = new Map<string, Map<string, Operation>>();
  for (const [method, path, operation] of entries)
    paths.set(path, (paths.get(path) ?? new Map<string, Operation>()).set(method, operation));
  const patterns = [...paths.keys()]
    .filter((path) => path.includes("{"))
    .map((path) => [path, patternOf(path)] as const);
  return {
    find(method, path) {
      const operations = paths.get(path) ?? paths.get(patterns.find(([, pattern]) => pattern.test(path))?.[0] ?? "");
      if (operations === undefined) return undefined;
      const operation = operations.get(method);
      if (operation !== undefined) return { operation };
      const needs = new Set([...operations.values()].map(({ access }) => access));
      return { allow: [...operations.keys()], access: strictest.find((access) => needs.has(access)) ?? "full" };
    },
  };
};

/** Matches a path whose `{name}` is any one segment, and captures it. */
export const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/, "([^/]+)")}$`);
