import {
  type ErasedUser,
  type Millis,
  PUBLIC_TENANT,
  type RevocationCause,
  type RevocationSelector,
  type SessionReference,
  type TenantId,
  type UserId,
} from "@pawl/storage";
import * as scripts from "../scripts/ending-scripts.js";
import { groupByTag, shortOf, type Tag, tagOfSession, tagOfUser, userTags } from "../key-space.js";
import { referencesOf } from "./session-row.js";
import { runOn, type Store } from "../store.js";
import { inLanes, stepLimit, takeFromTags } from "../take-from-tags.js";

/** Sessions by id: each tag in one step. Of a user: one step. Of a tenant: each tag in steps of a bounded size. */
export const revokeSessions = async (
  store: Store,
  selector: RevocationSelector,
  cause: RevocationCause,
): Promise<readonly SessionReference[]> => {
  const by = cause.detail === undefined ? "" : JSON.stringify({ by: cause.detail });
  switch (selector.kind) {
    case "ids": {
      const { ids, tenantId } = selector;
      const answers = await Promise.all(
        [...groupByTag(new Set(ids), tagOfSession)].map(([tag, ofTag]) =>
          runOn(store, tag, {
            script: scripts.revokeIds,
            keys: ["ids", "feed", "events", "trail"],
            args: [store.keys.of(tag), cause.reason, by, tenantId === undefined ? "" : `=${tenantId}`, ...ofTag],
          }),
        ),
      );
      return answers.flatMap(({ values }) => referencesOf(values));
    }
    case "user": {
      const { tenantId, userId, exceptId = "" } = selector;
      const { ended } = await revokeIndex(store, {
        tag: tagOfUser(selector),
        index: `u:${shortOf(userId)}`,
        args: [cause.reason, by, tenantId, exceptId, "", -1, `=${userId}`],
      });
      return ended;
    }
    case "tenant": {
      const { tenantId } = selector;
      const index = tenantId === PUBLIC_TENANT ? "ids" : `t:${shortOf(tenantId)}`;
      const ofTag = async (tag: Tag): Promise<readonly SessionReference[]> => {
        const found: SessionReference[] = [];
        let after: string | undefined = "";
        while (after !== undefined) {
          const args = [cause.reason, by, tenantId, "", after, stepLimit, ""];
          const step: Awaited<ReturnType<typeof revokeIndex>> = await revokeIndex(store, { tag, index, args });
          found.push(...step.ended);
          after = step.next;
        }
        return found;
      };
      return (await inLanes(userTags, ofTag)).flat();
    }
  }
};

const revokeIndex = async (
  store: Store,
  { tag, index, args }: { readonly tag: Tag; readonly index: string; readonly args: readonly (string | number)[] },
): Promise<{ readonly ended: readonly SessionReference[]; readonly next: string | undefined }> => {
  const { values } = await runOn(store, tag, {
    script: scripts.revokeIndex,
    keys: [index, "ids", "feed", "events", "trail"],
    args: [store.keys.of(tag), ...args],
  });
  const [more, last, ...ended] = values;
  return { ended: referencesOf(ended), next: more === 1 ? (last as string) : undefined };
};

export const eraseUser = async (
  store: Store,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
): Promise<ErasedUser> => {
  const { tenantId, userId } = user;
  const tag = tagOfUser(user);
  const { values } = await runOn(store, tag, {
    script: scripts.eraseUser,
    keys: [`u:${shortOf(userId)}`, `o:${shortOf(userId)}`, "ids", "sweep", "feed", "events", "trail"],
    args: [store.keys.of(tag), tenantId, userId],
  });
  const [rows, events, ...ended] = values;
  return { ended: referencesOf(ended), rows: rows as number, events: events as number };
};

export const deleteExpired = (store: Store, before: Millis, limit: number): Promise<number> =>
  takeFromTags(store, limit, {
    count: scripts.countExpired,
    take: scripts.sweep,
    keys: ["sweep", "ids", "events", "trail"],
    before,
  });
