import { listImportedCores, listMasterKeyNeeds } from "@pawl/engine";
import type { Storage, TenantId } from "@pawl/storage";
import { type ExportFile, TransferError } from "./export-file.js";
import { type ExportHeader, formatEnd, formatLine } from "./session-export-format.js";

/** Rows that are read at once: a few, until it is known how long they are. */
const FIRST_PAGE = 10;
const LARGEST_PAGE = 100;
const PAGE_LENGTH = 4_000_000;

/**
 * Writes all live sessions to a file, or what an interrupted export has not written yet, in bounded memory.
 * @returns how many stand in the file then.
 */
export const exportSessions = async (
  storage: Storage,
  file: ExportFile,
  options: { readonly tenantId?: TenantId | undefined; readonly onProgress?: (sessions: number) => void },
): Promise<number> => {
  const { tenantId, onProgress = () => undefined } = options;
  const { hash } = file.sum;
  let { sessions } = file.sum;
  let { after } = file;
  const write = async (text: string): Promise<void> => {
    hash.update(text);
    await file.handle.appendFile(text);
  };
  if (file.header === undefined) {
    const importedCores = await listImportedCores(storage);
    const header: ExportHeader = {
      format: "pawl-sessions",
      version: 1,
      exportedAt: storage.now(),
      masterKeys: await listMasterKeyNeeds(storage),
      tenantId,
      ...(importedCores.length > 0 && { importedCores }),
    };
    await write(formatLine(header));
  } else if (file.header.tenantId !== tenantId)
    throw new TransferError(
      `the export was begun with ${file.header.tenantId === undefined ? "all tenants" : `--tenant ${file.header.tenantId}`}: go on with the same`,
    );

  for (let limit = FIRST_PAGE; ;) {
    const page = await storage.listSessions({ tenantId }, { limit, after });
    const lines = page.items.map(formatLine).join("");
    sessions += page.items.length;
    after = page.next;
    // In one piece: a checkpoint means that the lines before it are complete.
    await write(after === undefined ? lines : lines + formatLine({ after }));
    onProgress(sessions);
    if (after === undefined) break;
    limit = Math.max(1, Math.min(LARGEST_PAGE, Math.floor((PAGE_LENGTH * page.items.length) / (lines.length + 1))));
  }
  await file.handle.appendFile(formatEnd({ sessions, hash }));
  await file.handle.sync();
  return sessions;
};
