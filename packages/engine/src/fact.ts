import { type Storage, StorageError } from "@pawl/storage";

/** An attempt fails only when another writer wins; losing this often means that something is wrong. */
const MAX_ATTEMPTS = 16;

/**
 * Changes a lasting fact of the store, starting from `initial` when there is none, and tries again when another writer was faster.
 * @returns the value before the change.
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
