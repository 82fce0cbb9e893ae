import {
  isLive,
  type Millis,
  type Page,
  type PageRequest,
  PUBLIC_TENANT,
  type SessionRecord,
  type SessionReference,
  type SessionSelector,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import { type HistoryPart, sessionPage } from "@pawl/storage/adapter";
import { shortOf, type Tag, tagOfSession, tagOfUser, userTags } from "../key-space.js";
import { compareBytes, mergeTags } from "../merge.js";
import { listSessions as list } from "../scripts/index-scripts.js";
import { getSession } from "../scripts/row-scripts.js";
import { recordOf, referencesOf } from "./session-row.js";
import { runOn, type Store } from "../store.js";

/** The tags where a selector's sessions stand, and the index that holds them. */
const placesOf = ({
  tenantId,
  userId,
  link,
  subject,
}: SessionSelector): { readonly tags: readonly Tag[]; readonly index: string } => {
  const tags = tenantId === undefined || userId === undefined ? userTags : [tagOfUser({ tenantId, userId })];
  const login = link ?? subject;
  if (login !== undefined) return { tags, index: `l:${shortOf(login)}` };
  if (userId !== undefined) return { tags, index: `u:${shortOf(userId)}` };
  return { tags, index: tenantId === undefined || tenantId === PUBLIC_TENANT ? "ids" : `t:${shortOf(tenantId)}` };
};

/** What a script selects by. A long text, which would go to each tag, is left to `readReferences`. */
const argumentOf = (text: string | undefined): string => (text === undefined || text.length > 100 ? "" : `=${text}`);

/** References of one index of a tag, as `mergeTags` reads them. */
const readReferences = async (
  store: Store,
  {
    tag,
    index,
    after,
    count,
  }: { readonly tag: Tag; readonly index: string; readonly after: string; readonly count: number },
  selector: SessionSelector & { readonly which: "live" | "all" },
): Promise<{ readonly items: readonly SessionReference[]; readonly next?: string }> => {
  const { tenantId, userId } = selector;
  const { values } = await runOn(store, tag, {
    script: list,
    keys: [index],
    args: [store.keys.of(tag), after, count, argumentOf(tenantId), argumentOf(userId), selector.which],
  });
  const [more, last, ...references] = values;
  const items = referencesOf(references)
    .filter((reference) => tenantId === undefined || reference.tenantId === tenantId)
    .filter((reference) => userId === undefined || reference.userId === userId);
  return { items, ...(more === 1 ? { next: last as string } : {}) };
};

/** References in the index of a selector, to live sessions in the order of their ids as bytes. */
const readPage = async (
  store: Store,
  selector: SessionSelector,
  { limit, after = "" }: PageRequest,
): Promise<Page<SessionReference>> => {
  const { tags, index } = placesOf(selector);
  const found = await mergeTags<SessionReference, string>({
    tags,
    count: limit + 1,
    compare: (left, right) => compareBytes(left.id, right.id),
    begin: after,
    read: (tag, from, count) =>
      readReferences(store, { tag, index, after: from, count }, { ...selector, which: "live" }),
  });
  return sessionPage(found, limit);
};

/** The rows are read in a second trip: what ended in between is left out. */
export const listSessions = async (
  store: Store,
  selector: SessionSelector,
  page: PageRequest,
): Promise<Page<SessionRecord>> => {
  const { items: references, ...rest } = await readPage(store, selector, page);
  const rows = await readRows(store, references);
  const { link, subject } = selector;
  const items = rows
    .filter(({ record, now }) => isLive(record, now))
    .map(({ record }) => record)
    .filter((record) => link === undefined || record.link === link)
    .filter((record) => subject === undefined || record.subject === subject);
  return { items, ...rest };
};

/** References do not tell link and subject, so where these are looked for the rows are read. */
export const listSessionReferences = async (
  store: Store,
  selector: SessionSelector,
  page: PageRequest,
): Promise<Page<SessionReference>> => {
  if ((selector.link ?? selector.subject) === undefined) return readPage(store, selector, page);
  const { items: rows, ...rest } = await listSessions(store, selector, page);
  return { items: rows.map(({ id, tenantId, userId }) => ({ id, tenantId, userId })), ...rest };
};

/** The first rows of a part of a user's history, by id. */
export const readHistory = async (
  store: Store,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
  {
    part,
    after = "",
    limit,
  }: { readonly part: HistoryPart; readonly after: string | undefined; readonly limit: number },
): Promise<readonly SessionRecord[]> => {
  const index = `${part === "ended" ? "o" : "u"}:${shortOf(user.userId)}`;
  const items = await mergeTags<SessionReference, string>({
    tags: [tagOfUser(user)],
    count: limit,
    compare: (left, right) => compareBytes(left.id, right.id),
    begin: after,
    read: (tag, from, count) => readReferences(store, { tag, index, after: from, count }, { ...user, which: "all" }),
  });
  return (await readRows(store, items)).map(({ record }) => record);
};

const readRows = async (
  store: Store,
  references: readonly SessionReference[],
): Promise<readonly { readonly record: SessionRecord; readonly now: Millis }[]> => {
  const rows = await Promise.all(
    references.map(async ({ id }) => {
      const { now, values } = await runOn(store, tagOfSession(id), { script: getSession, keys: [`s:${id}`] });
      const record = recordOf(id, values);
      return record && { record, now };
    }),
  );
  return rows.filter((row) => row !== undefined);
};
