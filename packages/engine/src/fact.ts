import { type Storage, StorageError } from "@pawl/storage";

/** A fact changes under us only when somebody else won; this many winners in a row mean that something is wrong. */
const MAX_ATTEMPTS = 16;

/**
 * Changes a lasting fact of the store, `initial` where there is none yet, until nobody came between.
 * @returns what stood before.
 * @throws StorageError `unavailable` when it keeps changing.
 */
export const replaceFact = async (
  storage: Pick<Storage, "claimMeta" | "replaceMeta">,
  name: string,
  { initial, change }: { readonly initial: string; readonly change: (before: string) => string },
): Promise<string> => {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const before = await storage.claimMeta(name, initial);
    const after = change(before);
    if (after === before || (await storage.replaceMeta(name, before, after))) return before;
  }
  throw new StorageError("unavailable", `the fact ${name} kept changing in the store; try again`);
};
