import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Makes a folder for the tests of a file, and deletes it after them. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "pawl-sqlite-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
