import { open } from "node:fs/promises";

/** Makes the names in a folder durable; where a folder cannot be opened (Windows), the system sees to it. */
export const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, "r").catch(() => undefined);
  try {
    await folder?.sync();
  } finally {
    await folder?.close();
  }
};
