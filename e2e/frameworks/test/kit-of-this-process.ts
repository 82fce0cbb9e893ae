import type { Hooks, KitPawl } from "@pawl/adapter-conformance";

/** What applications find that were built before the test began. */
const SYMBOL = Symbol.for("pawl kit");

/**
 * Puts the `pawl` and the hooks of the test that runs where a built application finds them.
 * @returns a function that says which test runs.
 */
export const shareKit = (): ((pawl: KitPawl, hooks: Hooks) => void) => {
  let current: { readonly pawl: KitPawl; readonly hooks: Hooks } | undefined;
  const pawl = new Proxy({}, { get: (_, name) => Reflect.get(current?.pawl ?? {}, name) as unknown });
  const hooks: Hooks = { wait: async (calls) => current?.hooks.wait(calls) };
  Object.assign(globalThis, { [SYMBOL]: { pawl, hooks } });
  return (...given) => (current = { pawl: given[0], hooks: given[1] });
};
