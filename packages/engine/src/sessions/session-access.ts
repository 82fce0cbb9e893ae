import { isDeepStrictEqual } from "node:util";
import {
  type EventRecord,
  type LiveSession,
  type Millis,
  millis,
  type SessionChange,
  type SessionId,
  type SessionRecord,
  type Storage,
  StorageError,
  type UserId,
} from "@pawl/storage";
import { isForOther, withoutActing } from "./acting.js";
import { explain } from "./explanation.js";
import { actingAt, authenticationOf, factsText, isBound, parseFacts } from "./facts.js";
import type { Policy } from "../policy.js";
import type { ChangeMarks } from "../revocation/change-feed.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf, parseHandle } from "../session-handle.js";
import { readAllPages } from "../all-pages.js";
import { providerLoginOf } from "./provider-login.js";
import { checkTenantId, checkUserIdText, dataText, payloadText } from "./session-input.js";
import { liveRowOf, rowOf } from "./session-rows.js";
import type { JsonObject, SessionHandle, SessionInformation } from "../session.js";

/** A page of sessions ends early once their payload and data are as long as this, in characters. */
const MAX_PAGE_LENGTH = 2_000_000;
const ROWS_PER_READ = 25;
/** Sessions of which one call of the store says whether they are live. */
const IDS_PER_READ = 500;
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
  | "getSession"
  | "liveOf"
  | "listSessions"
  | "listSessionHandles"
  | "updateSessionData"
  | "updatePayload"
  | "explainSession"
> => {
  return {
    async getSession(handle, { as } = {}) {
      const row = await liveRowOf(storage, handle);
      if (row === undefined) return undefined;
      const now = storage.now();
      if (as === undefined || as === row.userId) return informationOf(row, now);
      const act = actingAt(parseFacts(row.facts), now);
      return act?.userId === as ? { ...informationOf(row, now), payload: act.payload, data: act.data } : undefined;
    },

    async liveOf(handles) {
      const named = handles.map(parseHandle);
      const ids = [...new Set(named.flatMap((session) => (session === undefined ? [] : [session.id])))];
      const standings = new Map<SessionId, LiveSession>();
      for (let at = 0; at < ids.length; at += IDS_PER_READ) {
        const asked = ids.slice(at, at + IDS_PER_READ);
        const read = await storage.liveOf(asked);
        for (const [index, id] of asked.entries()) {
          const standing = read[index];
          if (standing !== undefined) standings.set(id, standing);
        }
      }
      return named.map((session) => {
        const standing = session && standings.get(session.id);
        if (standing === undefined || standing.tenantId !== session?.tenantId) return undefined;
        const { payloadVersion, expiresAt, idleExpiresAt } = standing;
        return { payloadVersion, liveUntil: millis(Math.min(expiresAt, idleExpiresAt)) };
      });
    },

    async listSessions({ tenantId, userId }, page) {
      const selector = {
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
      let now = storage.now();
      let row = await rowOf(storage, handle);
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        if (row === undefined || row.payloadVersion !== (expectedVersion ?? row.payloadVersion)) return undefined;
        const change = payloadChange(row, { text, announced, expectedVersion, now });
        const result = await storage.changeSession(row.id, change);
        if (result.kind === "absent") return undefined;
        ({ record: row, now } = result);
        if (result.kind === "conflict") continue;
        if (change.announced === true) changes.markChanged(row, now);
        return { handle: handleOf(row), payloadVersion: row.payloadVersion, at: now };
      }
      throw new StorageError("unavailable", "the session kept changing; try again");
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

/**
 * Another payload of the owner. Acting ends with it, which may have been begun by what it takes away: tokens that speak for
 * the other user are refused then, whether the change is announced or not.
 */
const payloadChange = (
  row: SessionRecord,
  {
    text,
    announced,
    expectedVersion,
    now,
  }: {
    readonly text: string;
    readonly announced: boolean;
    readonly expectedVersion: number | undefined;
    readonly now: Millis;
  },
): SessionChange => {
  const expected = { factsVersion: row.factsVersion, payloadVersion: expectedVersion };
  const facts = parseFacts(row.facts);
  const isSame = facts.act === undefined || isDeepStrictEqual(JSON.parse(text), JSON.parse(row.payload));
  if (isSame) return { payload: text, announced, expected };
  const ended = withoutActing(row, now, "payload_changed");
  return { payload: text, ...ended, announced: announced || actingAt(facts, now) !== undefined, expected };
};

const informationOf = (row: SessionRecord, now: Millis): SessionInformation => {
  const identityProvider = providerLoginOf(row);
  const facts = parseFacts(row.facts);
  const act = actingAt(facts, now);
  const bound = isBound(row);
  return {
    handle: handleOf(row),
    tenantId: row.tenantId,
    userId: row.userId,
    payload: JSON.parse(row.payload) as JsonObject,
    payloadVersion: row.payloadVersion,
    auth: authenticationOf(row, facts),
    data: JSON.parse(row.data) as JsonObject,
    ...(act === undefined ? {} : { acting: { userId: act.userId, reason: act.reason, until: act.until } }),
    ...(bound && { bound }),
    ...(identityProvider === undefined ? {} : { identityProvider }),
    ...(row.device === undefined ? {} : { device: row.device }),
    ...(row.address === undefined ? {} : { address: row.address }),
    createdAt: row.createdAt,
    lastActiveAt: row.lastActiveAt,
    ...(row.issuedAt === 0 ? {} : { refreshedAt: row.issuedAt }),
    expiresAt: row.expiresAt,
  };
};
