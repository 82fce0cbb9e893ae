import { StorageError } from "../errors.js";
import type { SessionRecord } from "../records.js";
import type { Page, PageRequest } from "../storage.js";

/** Which rows of a user: those that have not been ended, be they expired, or those that have. */
export type HistoryPart = "others" | "ended";

/**
 * A page of `Storage.listSessionHistory`, for a store that finds the two parts of it apart: first the rows that have not
 * been ended, so that one that ends meanwhile comes again with the others.
 * @param read gives the first `limit` rows of a part by id, after an id if one is given.
 * @throws StorageError `invalid_record` when no page starts there.
 */
export const readHistoryPage = async (
  { limit, after = "others:" }: PageRequest,
  read: (
    part: HistoryPart,
    from: { readonly after: string | undefined; readonly limit: number },
  ) => Promise<readonly SessionRecord[]>,
): Promise<Page<SessionRecord>> => {
  const [, part, start] = /^(others|ended):(.*)$/su.exec(after) ?? [];
  if (start === undefined) throw new StorageError("invalid_record", "no page starts there");
  const from = start === "" ? undefined : start;
  const others = part === "others" ? await read("others", { after: from, limit: limit + 1 }) : [];
  if (others.length > limit) return cut(others, limit, "others");
  const room = limit - others.length;
  const ended = await read("ended", { after: part === "ended" ? from : undefined, limit: room + 1 });
  if (ended.length <= room) return { items: [...others, ...ended] };
  return room === 0 ? { items: others, next: "ended:" } : cut([...others, ...ended], limit, "ended");
};

const cut = (rows: readonly SessionRecord[], limit: number, part: HistoryPart): Page<SessionRecord> => {
  const items = rows.slice(0, limit);
  return { items, next: `${part}:${items.at(-1)?.id ?? ""}` };
};
