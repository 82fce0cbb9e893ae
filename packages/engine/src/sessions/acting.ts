import type {
  EventRecord,
  Millis,
  SessionChange,
  SessionChangeResult,
  SessionRecord,
  Storage,
  TenantId,
  UserId,
} from "@pawl/storage";
import { readAllPages } from "../all-pages.js";
import { factsText, type KeptActing, parseFacts } from "./facts.js";

/** How acting came to its end; `payload_changed`: that of who acted became another one. */
export type ActingEnd = "asked" | "time" | "payload_changed";

/** What an event of acting says. */
interface ActingDetail {
  readonly actor: UserId;
  readonly userId: UserId;
  readonly reason: string;
  readonly until: Millis;
  readonly end: ActingEnd | undefined;
}

export const actingOf = ({ detail = "{}" }: EventRecord): ActingDetail => JSON.parse(detail) as ActingDetail;

/** One line of the audit trail for each of the two users. */
const forBoth = (
  type: "acting_started" | "acting_ended",
  row: SessionRecord,
  { act, at, end }: { readonly act: KeptActing; readonly at: Millis; readonly end?: ActingEnd },
): readonly EventRecord[] => {
  const { userId, reason, until } = act;
  const detail = JSON.stringify({ actor: row.userId, userId, reason, until, end } satisfies ActingDetail);
  return [row.userId, userId].map((named, index) => ({
    // Facts change by compare-and-set: of those that would write this event about one version, one does.
    key: `${type}:${row.id}:${row.factsVersion}:${index}`,
    at,
    type,
    tenantId: row.tenantId,
    userId: named,
    sessionId: row.id,
    detail,
    count: 1,
  }));
};

/** What is written when the owner of a session begins to act for another user. */
export const actingStarted = (row: SessionRecord, act: KeptActing): readonly EventRecord[] =>
  forBoth("acting_started", row, { act, at: act.at });

/** What is written when he stops; nothing where nobody acted. One that ran out ended when it did. */
export const actingEnded = (row: SessionRecord, now: Millis, end: ActingEnd = "asked"): readonly EventRecord[] => {
  const { act } = parseFacts(row.facts);
  if (act === undefined) return [];
  return act.until <= now
    ? forBoth("acting_ended", row, { act, at: act.until, end: "time" })
    : forBoth("acting_ended", row, { act, at: now, end });
};

/** Whether an event tells the user acted for what another one tells the owner of the session. */
export const isForOther = (event: EventRecord): boolean =>
  (event.type === "acting_started" || event.type === "acting_ended") && actingOf(event).actor !== event.userId;

/** Facts without acting; the events tell how it ended. */
export const withoutActing = (
  row: SessionRecord,
  now: Millis,
  end?: ActingEnd,
): Pick<SessionChange, "facts" | "events"> => ({
  facts: factsText({ ...parseFacts(row.facts), act: undefined }),
  events: actingEnded(row, now, end),
});

/** What `forgetActing` asks of a storage. */
type ActingStore = Pick<Storage, "now" | "listEvents" | "getSession" | "changeSession">;

/**
 * Ends acting for a user who is about to be erased, and drops what sessions of others hold of them; without an event, which
 * would name them. Call it before their events are deleted: those tell which sessions.
 */
export const forgetActing = async (
  storage: ActingStore,
  user: { readonly tenantId: TenantId; readonly userId: UserId },
): Promise<void> => {
  const selector = { ...user, types: ["acting_started"] } as const;
  const events = await readAllPages((page) => storage.listEvents(selector, page));
  for (const id of new Set(events.map(({ sessionId }) => sessionId))) {
    for (let row = id && (await storage.getSession(id)); row !== undefined;) {
      const { act, ...facts } = parseFacts(row.facts);
      if (act?.userId !== user.userId) break;
      const change = { facts: factsText(facts), announced: true, expected: { factsVersion: row.factsVersion } };
      const result: SessionChangeResult = await storage.changeSession(row.id, change);
      row = result.kind === "conflict" ? result.record : undefined;
    }
  }
};

/** Whether acting has run out, and nobody has written it down yet. */
export const hasRunOut = (row: SessionRecord, now: Millis): boolean => {
  const { act } = parseFacts(row.facts);
  return act !== undefined && act.until <= now;
};

/** Writes down that acting ran out. The row's rotation stays as the caller knows it. @returns the row after it. */
export const settleActing = async (
  storage: Pick<Storage, "changeSession">,
  row: SessionRecord,
  now: Millis,
): Promise<SessionRecord> => {
  const expected = { factsVersion: row.factsVersion };
  const result = await storage.changeSession(row.id, { ...withoutActing(row, now), expected });
  if (result.kind === "absent") return row;
  const { facts, factsVersion, payload, payloadVersion } = result.record;
  return { ...row, facts, factsVersion, payload, payloadVersion };
};
