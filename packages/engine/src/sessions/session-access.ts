import { type EventRecord, isLive, type SessionRecord, type Storage } from "@pawl/storage";
import { explain } from "./explanation.js";
import type { Policy } from "../policy.js";
import type { SessionEngine } from "../session-engine.js";
import { handleOf, parseHandle } from "../session-handle.js";
import { readAllPages } from "../all-pages.js";
import { checkTenantId, checkUserIdText, dataText, payloadText } from "./session-input.js";
import type { JsonObject, SessionHandle, SessionInformation } from "../session.js";

/** A page of sessions ends early once their payload and data are as long as this, in characters. */
const MAX_PAGE_LENGTH = 2_000_000;
const ROWS_PER_READ = 25;
/** Events come at most hourly per kind, so this is more than a session of a month with every alarm there is. */
const EXPLAINED_EVENTS = 1000;

/** The questions about sessions, and the changes of what an application keeps in them. */
export const createSessionAccess = ({
  policy,
  storage,
}: {
  readonly policy: Policy;
  readonly storage: Storage;
}): Pick<
  SessionEngine,
  "getSession" | "listSessions" | "listSessionHandles" | "updateSessionData" | "updatePayload" | "explainSession"
> => {
  /** The row that a handle names, live or not; a handle with another tenant names none. */
  const rowOf = async (handle: string): Promise<SessionRecord | undefined> => {
    const named = parseHandle(handle);
    const row = named && (await storage.getSession(named.id));
    return row?.tenantId === named?.tenantId ? row : undefined;
  };
  const liveRowOf = async (handle: string): Promise<SessionRecord | undefined> => {
    const row = await rowOf(handle);
    return row !== undefined && isLive(row, storage.now()) ? row : undefined;
  };

  return {
    async getSession(handle) {
      const row = await liveRowOf(handle);
      return row && informationOf(row);
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
        for (const row of read.items) bytes += row.payload.length + row.data.length;
        items.push(...read.items.map(informationOf));
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

    async updateSessionData(handle, data) {
      const text = dataText(data);
      const row = await rowOf(handle);
      return row !== undefined && (await storage.changeSession(row.id, { data: text })).kind === "changed";
    },

    async updatePayload(handle, payload, { form } = { form: "v5" }) {
      const text = payloadText(payload, form);
      const row = await rowOf(handle);
      return row !== undefined && (await storage.changeSession(row.id, { payload: text })).kind === "changed";
    },

    async explainSession(handle) {
      const named = parseHandle(handle);
      const row = await rowOf(handle);
      let events: readonly EventRecord[] = [];
      if (named !== undefined) {
        const selector = { sessionId: named.id, tenantId: named.tenantId };
        events = (await storage.listEvents(selector, { limit: EXPLAINED_EVENTS })).items.toReversed();
      }
      const { absoluteTimeout } = policy;
      return explain({ handle: handle as SessionHandle, row, events, absoluteTimeout, now: storage.now() });
    },
  };
};

const informationOf = (row: SessionRecord): SessionInformation => ({
  handle: handleOf(row),
  tenantId: row.tenantId,
  userId: row.userId,
  payload: JSON.parse(row.payload) as JsonObject,
  data: JSON.parse(row.data) as JsonObject,
  ...(row.device === undefined ? {} : { device: row.device }),
  ...(row.address === undefined ? {} : { address: row.address }),
  createdAt: row.createdAt,
  lastActiveAt: row.lastActiveAt,
  ...(row.issuedAt === 0 ? {} : { refreshedAt: row.issuedAt }),
  expiresAt: row.expiresAt,
});
