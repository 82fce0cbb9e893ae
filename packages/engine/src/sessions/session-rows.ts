import { isLive, type SessionRecord, type Storage } from "@pawl/storage";
import { parseHandle } from "../session-handle.js";

/** Reads the row that a handle names, live or not; a handle with another tenant names none. */
export const rowOf = async (
  storage: Pick<Storage, "getSession">,
  handle: string,
): Promise<SessionRecord | undefined> => {
  const named = parseHandle(handle);
  const row = named && (await storage.getSession(named.id));
  return row?.tenantId === named?.tenantId ? row : undefined;
};

export const liveRowOf = async (
  storage: Pick<Storage, "getSession" | "now">,
  handle: string,
): Promise<SessionRecord | undefined> => {
  const row = await rowOf(storage, handle);
  return row !== undefined && isLive(row, storage.now()) ? row : undefined;
};
