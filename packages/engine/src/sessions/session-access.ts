import {
  type EventRecord,
  type Millis,
  type SessionChange,
  type SessionRecord,
  type Storage,
  StorageError,
  type UserId,
} from "@pawl/storage";
import { isForOther } from "./acting.js";
import { explain } from "./explanation.js";
import { actingAt, authenticationOf, factsText, parseFacts } from "./facts.js";
import type { Policy } from "../policy.js";
import type { ChangeMarks } from "../revocation/change-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf, parseHandle } from "../session-handle.js";
import { readAllPages } from "../all-pages.js";
import { checkTenantId, checkUserIdText, dataText, payloadText } from "./session-input.js";
import { liveRowOf, rowOf } from "./session-rows.js";
import type { JsonObject, SessionHandle, SessionInformation } from "../session.js";

/** A page of sessions ends early once their payload and data are as long as this, in characters. */
const MAX_PAGE_LENGTH = 2_000_000;
const ROWS_PER_READ = 25;
/** A change fails only when another writer wins; losing this often means that something is wrong. */
const MAX_ROUNDS = 16;
/** Events come at most hourly per kind, so this is more than a session of a month with every alarm there is. */
const EXPLAINED_EVENTS = 1000;

/** The questions about sessions, and the changes of what an application keeps in them. */
export const createSessionAccess = ({
  policy,
  storage,
  changes,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
  readonly changes: ChangeMarks;
}): Pick<
  SessionEngine,
  "getSession" | "listSessions" | "listSessionHandles" | "updateSessionData" | "updatePayload" | "explainSession"
> => {
  return {
    async getSession(handle) {
      const row = await liveRowOf(storage, handle);
      return row && informationOf(row, storage.now());
    },

    async listSessions({ tenantId, userId, link }, page) {
      const selector = {
        link,
        tenantId: tenantId === undefined ? undefined : checkTenantId(tenantId),
        userId: userId === undefined ? undefined : checkUserIdText(userId),
      };
      const items: SessionInformation[] = [];
      let { after } = page;
      let bytes = 0;
      // A few rows at a time: a page of sessions that hold a megabyte each must not be read at once.
      do {
        const limit = Math.min(ROWS_PER_READ, page.limit - items.length);
        const read = await storage.listSessions(selector, { limit, after });
        const now = storage.now();
        for (const row of read.items) bytes += row.payload.length + row.data.length + row.facts.length;
        items.push(...read.items.map((row) => informationOf(row, now)));
        after = read.next;
      } while (after !== undefined && items.length < page.limit && bytes < MAX_PAGE_LENGTH);
      return { items, ...(after === undefined ? {} : { next: after }) };
    },

    async listSessionHandles(user) {
      const userId = checkUserIdText(user.userId);
      const tenantId = checkTenantId(user.tenantId);
      const selector = user.acrossTenants === true ? { userId } : { userId, tenantId };
      return (await readAllPages((page) => storage.listSessionReferences(selector, page))).map(handleOf);
    },

    async updateSessionData(handle, data, { as } = {}) {
      const text = dataText(data);
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const row = await liveRowOf(storage, handle);
        if (row === undefined) return false;
        const change = dataChange(row, { as, text, now: storage.now() });
        if (change === undefined) return false;
        const { kind } = await storage.changeSession(row.id, change);
        if (kind !== "conflict") return kind === "changed";
      }
      throw new StorageError("unavailable", "the session kept changing; try again");
    },

    async updatePayload(handle, payload, { form = "v5", announced = true, expectedVersion } = {}) {
      const text = payloadText(payload, form);
      const row = await rowOf(storage, handle);
      if (row === undefined) return undefined;
      const expected = { payloadVersion: expectedVersion };
      const result = await storage.changeSession(row.id, { payload: text, announced, expected });
      if (result.kind !== "changed") return undefined;
      const { record, now: at } = result;
      if (announced) changes.markChanged(record, at);
      return { handle: handleOf(record), payloadVersion: record.payloadVersion, at };
    },

    async explainSession(handle) {
      const named = parseHandle(handle);
      const row = await rowOf(storage, handle);
      let events: readonly EventRecord[] = [];
      if (named !== undefined) {
        const selector = { sessionId: named.id, tenantId: named.tenantId };
        const { items } = await storage.listEvents(selector, { limit: EXPLAINED_EVENTS });
        events = items.filter((event) => !isForOther(event)).toReversed();
      }
      const { absoluteTimeout } = policy;
      return explain({ handle: handle as SessionHandle, row, events, absoluteTimeout, now: storage.now() });
    },
  };
};

/** Data of the owner, or of whom he acts for. @returns undefined where the session speaks for neither. */
const dataChange = (
  row: SessionRecord,
  { as = row.userId, text, now }: { readonly as?: UserId | undefined; readonly text: string; readonly now: Millis },
): SessionChange | undefined => {
  if (as === row.userId) return { data: text };
  const facts = parseFacts(row.facts);
  const act = actingAt(facts, now);
  if (act?.userId !== as) return undefined;
  const data = JSON.parse(text) as JsonObject;
  return { facts: factsText({ ...facts, act: { ...act, data } }), expected: { factsVersion: row.factsVersion } };
};

const informationOf = (row: SessionRecord, now: Millis): SessionInformation => {
  const facts = parseFacts(row.facts);
  const acting = actingAt(facts, now);
  return {
    handle: handleOf(row),
    tenantId: row.tenantId,
    userId: row.userId,
    payload: JSON.parse(row.payload) as JsonObject,
    payloadVersion: row.payloadVersion,
    auth: authenticationOf(row, facts),
    data: JSON.parse(row.data) as JsonObject,
    ...(acting === undefined ? {} : { acting }),
    ...(row.link === undefined ? {} : { link: row.link }),
    ...(row.device === undefined ? {} : { device: row.device }),
    ...(row.address === undefined ? {} : { address: row.address }),
    createdAt: row.createdAt,
    lastActiveAt: row.lastActiveAt,
    ...(row.issuedAt === 0 ? {} : { refreshedAt: row.issuedAt }),
    expiresAt: row.expiresAt,
  };
};
