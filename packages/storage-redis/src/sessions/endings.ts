import {
  type ErasedUser,
  type Millis,
  PUBLIC_TENANT,
  type RevocationCause,
  type RevocationSelector,
  type SessionReference,
  type TenantId,
  type UserId,
  type EndedByTime,
  type OnEndedByTime,
} from "@pawl/storage";
import * as scripts from "../scripts/ending-scripts.js";
import { countIndex } from "../scripts/index-scripts.js";
import { groupByTag, shortOf, type Tag, tagOfSession, tagOfUser, userTags } from "../key-space.js";
import { referencesOf } from "./session-row.js";
import { eventKeys, eventPlace, outboxKeys, runOn, type Store } from "../store.js";
import { inLanes, stepLimit, takeFromTags } from "../take-from-tags.js";

/**
 * Sessions by id: each tag in one step. Of a user: one step. Of a tenant, or with a limit: each tag in steps of a bounded
 * size.
 */
export const revokeSessions = async (
  store: Store,
  selector: RevocationSelector,
  { cause, limit }: { readonly cause: RevocationCause; readonly limit: number | undefined },
): Promise<readonly SessionReference[]> => {
  const by = cause.detail === undefined ? "" : JSON.stringify({ by: cause.detail });
  const why = [cause.reason, by];
  switch (selector.kind) {
    case "ids":
      return revokeIds(store, selector, { why, limit });
    case "user": {
      const { tenantId, userId, exceptId = "" } = selector;
      const tag = tagOfUser(selector);
      const ending = { index: `u:${shortOf(userId)}`, why: [...why, tenantId, exceptId], userId };
      if (limit !== undefined) return revokeTags(store, ending, { counts: [{ tag, count: limit }], limit });
      return (await revokeIndex(store, ending, { tag, after: "", count: -1 })).ended;
    }
    case "tenant": {
      const { tenantId } = selector;
      const index = tenantId === PUBLIC_TENANT ? "ids" : `t:${shortOf(tenantId)}`;
      const counts = await Promise.all(
        userTags.map(async (tag) => {
          const { values } = await runOn(store, tag, { script: countIndex, keys: [index] });
          return { tag, count: values[0] as number };
        }),
      );
      return revokeTags(store, { index, why: [...why, tenantId, ""] }, { counts, limit });
    }
  }
};

const revokeIds = async (
  store: Store,
  { ids, tenantId }: RevocationSelector & { readonly kind: "ids" },
  { why, limit }: { readonly why: readonly string[]; readonly limit: number | undefined },
): Promise<readonly SessionReference[]> => {
  const ofTenant = tenantId === undefined ? "" : `=${tenantId}`;
  const groups = [...groupByTag(new Set(ids), tagOfSession)];
  const revoke = async ([tag, ofTag]: (typeof groups)[number], most: number): Promise<readonly SessionReference[]> => {
    const { values } = await runOn(store, tag, {
      script: scripts.revokeIds,
      keys: ["ids", "feed", ...eventKeys(store)],
      args: [eventPlace(store, tag), ...why, ofTenant, most, ...ofTag],
    });
    return referencesOf(values);
  };
  if (limit === undefined) return (await Promise.all(groups.map((group) => revoke(group, ids.length)))).flat();
  const found: SessionReference[] = [];
  for (const group of groups) if (found.length < limit) found.push(...(await revoke(group, limit - found.length)));
  return found;
};

/** Which sessions of an index to end, and what is said of it: reason, detail, tenant, and a session that stays. */
interface IndexEnding {
  readonly index: string;
  readonly why: readonly string[];
  readonly userId?: UserId;
}

/**
 * Ends sessions of the same index in many tags, in steps of a bounded size.
 * @param counts how many there are in each tag, about.
 */
const revokeTags = async (
  store: Store,
  ending: IndexEnding,
  {
    counts,
    limit = Number.POSITIVE_INFINITY,
  }: {
    readonly counts: readonly { readonly tag: Tag; readonly count: number }[];
    readonly limit: number | undefined;
  },
): Promise<readonly SessionReference[]> => {
  const found: SessionReference[] = [];
  let places = counts
    .filter(({ count }) => count > 0)
    .map(({ tag, count }) => ({ tag, count, after: "" as string | undefined }));
  while (places.length > 0 && found.length < limit) {
    let left = limit - found.length;
    await inLanes(places, async (place) => {
      const quota = Math.min(place.count, left);
      left -= quota;
      for (let ended = 0; ended < quota && place.after !== undefined;) {
        const { tag, after } = place;
        const step = await revokeIndex(store, ending, { tag, after, count: Math.min(stepLimit, quota - ended) });
        found.push(...step.ended);
        ended += step.ended.length;
        place.after = step.next;
      }
    });
    places = places.filter(({ after }) => after !== undefined);
  }
  return found;
};

const revokeIndex = async (
  store: Store,
  { index, why, userId }: IndexEnding,
  { tag, after, count }: { readonly tag: Tag; readonly after: string; readonly count: number },
): Promise<{ readonly ended: readonly SessionReference[]; readonly next: string | undefined }> => {
  const { values } = await runOn(store, tag, {
    script: scripts.revokeIndex,
    keys: [index, "ids", "feed", ...eventKeys(store)],
    args: [eventPlace(store, tag), ...why, after, count, userId === undefined ? "" : `=${userId}`],
  });
  const [more, last, ...ended] = values;
  return { ended: referencesOf(ended), next: more === 1 ? (last as string) : undefined };
};

export const eraseUser = async (
  store: Store,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
  limit = Number.MAX_SAFE_INTEGER,
): Promise<ErasedUser> => {
  const { tenantId, userId } = user;
  const tag = tagOfUser(user);
  const { values } = await runOn(store, tag, {
    script: scripts.eraseUser,
    keys: [`u:${shortOf(userId)}`, `o:${shortOf(userId)}`, "ids", "sweep", "feed", "events", "trail", ...outboxKeys],
    args: [store.keys.of(tag), tenantId, userId, limit],
  });
  const [rows, events, ...ended] = values;
  return { ended: referencesOf(ended), rows: rows as number, events: events as number };
};

export const deleteExpired = (
  store: Store,
  { before, limit }: { readonly before: Millis; readonly limit: number },
  onEnded: OnEndedByTime | undefined,
): Promise<number> =>
  takeFromTags(store, limit, {
    onTaken: (told) => {
      const ended = told.flatMap((tenantId, index) =>
        index % 2 === 0 ? [{ tenantId, reason: told[index + 1] } as EndedByTime] : [],
      );
      if (ended.length > 0) onEnded?.(ended);
    },
    count: scripts.countExpired,
    take: scripts.sweep,
    keys: ["sweep", "ids", ...eventKeys(store)],
    before,
  });
