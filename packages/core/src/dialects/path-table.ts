import type { Found, Operation } from "../server/dialect.js";

/** Operations by exact, case-sensitive path and by method. */
export interface PathTable {
  readonly find: (method: string, path: string) => Found | undefined;
}

/** What a path takes, by method. */
export type PathOperations = ReadonlyMap<string, Operation>;

/** Makes the answer of `find` for one path. */
export const findMethod = (operations: PathOperations, method: string): Found => {
  const operation = operations.get(method);
  if (operation !== undefined) return { operation };
  return { allow: [...operations.keys()], open: [...operations.values()].every(({ open }) => open) };
};

/** Builds a table of `[method, path, operation]`. */
export const createPathTable = (entries: readonly (readonly [string, string, Operation])[]): PathTable => {
  const paths = new Map<string, Map<string, Operation>>();
  for (const [method, path, operation] of entries)
    paths.set(path, (paths.get(path) ?? new Map<string, Operation>()).set(method, operation));
  return {
    find(method, path) {
      const operations = paths.get(path);
      return operations && findMethod(operations, method);
    },
  };
};
