import { type EndReason, type EventRecord, isLive, type Millis, type SessionRecord } from "@pawl/storage";
import type { SessionExplanation, SessionHandle } from "../session.js";
import { type ActingEnd, actingOf } from "./acting.js";
import { actingAt, parseFacts } from "./facts.js";

/** What is known of a session: its row while there is one, and its events, oldest first. */
export interface KnownSession {
  readonly handle: SessionHandle;
  readonly row: SessionRecord | undefined;
  readonly events: readonly EventRecord[];
  readonly absoluteTimeout: Millis | undefined;
  readonly now: Millis;
}

/** Tells what became of a session. Pure. */
export const explain = (known: KnownSession): SessionExplanation => {
  const { handle, row, events, now } = known;
  const ending = endingOf(known);
  const userId = row?.userId ?? endOf(events)?.userId;
  const facts = {
    handle,
    ...(userId === undefined ? {} : { userId }),
    ...(row === undefined
      ? {}
      : { createdAt: row.createdAt, lastActiveAt: row.lastActiveAt, refreshes: refreshesOf(row) }),
    ...(row === undefined || row.issuedAt === 0 ? {} : { refreshedAt: row.issuedAt }),
    events,
  };
  if (ending !== undefined) {
    const { at, reason } = ending;
    const summary = `Ended ${clockText(at)} ${sentenceOf(reason, known)}${onWhoseBehalf(events)}.`;
    return { ...facts, status: "ended", endedAt: at, reason, summary };
  }
  if (row !== undefined && isLive(row, now)) return { ...facts, status: "live", summary: liveSummary(known, row) };
  return {
    ...facts,
    status: "unknown",
    summary:
      "Nothing is known of this session: it never existed, or it ended so long ago that its events were deleted.",
  };
};

/** When and why a session ended; undefined while it lives, or where nothing is known of it. */
export const endingOf = ({
  row,
  events,
  now,
}: Pick<KnownSession, "row" | "events" | "now">): { readonly at: Millis; readonly reason: EndReason } | undefined => {
  if (row?.endedAt !== undefined) return { at: row.endedAt, reason: row.endReason ?? "revoked" };
  if (row !== undefined && now >= row.idleExpiresAt && row.idleExpiresAt < row.expiresAt)
    return { at: row.idleExpiresAt, reason: "idle" };
  if (row !== undefined) return now >= row.expiresAt ? { at: row.expiresAt, reason: "expired" } : undefined;
  const ended = endOf(events);
  return ended === undefined ? undefined : { at: ended.at, reason: ended.reason ?? "revoked" };
};

const endOf = (events: readonly EventRecord[]): EventRecord | undefined =>
  events.findLast((event) => event.type === "session_ended");

const sentenceOf = (reason: EndReason, { row, events, absoluteTimeout }: KnownSession): string => {
  switch (reason) {
    case "logout":
      return "by logout";
    case "revoked":
      return "by the application, which revoked it";
    case "revoked_by_admin":
      return "by an administrator, who revoked it";
    case "erased":
      return "because the user's data was erased";
    case "session_limit":
      return "by the session limit: the user logged in elsewhere, and this was the least recently refreshed session";
    case "identity_provider":
      return "by the identity provider that the user had logged in through";
    case "idle":
      return "by idleness: it was neither used nor refreshed for too long";
    case "replaced":
      return "by a login in the same browser, which replaced it";
    case "token_reuse":
      return events.some((event) => event.type === "token_reuse")
        ? "by token reuse: a refresh token was used again after its successor had been used"
        : "by token reuse: a refresh token of another session of this user was used again";
    case "expired":
      return row !== undefined && absoluteTimeout !== undefined && row.expiresAt - row.createdAt >= absoluteTimeout
        ? "by its absolute timeout: it had lived as long as a session may"
        : "by expiry: its last refresh token was not used in time";
  }
};

const onWhoseBehalf = (events: readonly EventRecord[]): string => {
  const detail = endOf(events)?.detail;
  const by: unknown = detail === undefined ? undefined : (JSON.parse(detail) as { readonly by?: unknown }).by;
  return typeof by === "string" ? ` (${by})` : "";
};

/** An imported session begins with a number that is not of a refresh here. */
const refreshesOf = ({ issuedAt, next }: SessionRecord): number => (issuedAt === 0 ? 0 : next);

const liveSummary = ({ events, now }: KnownSession, row: SessionRecord): string => {
  const count = (type: EventRecord["type"]): number =>
    events.filter((event) => event.type === type).reduce((sum, event) => sum + event.count, 0);
  const refreshes = refreshesOf(row);
  const refreshed = refreshes === 0 ? "never refreshed" : `refreshed ${times(refreshes)}`;
  const remarks = [
    [count("token_reuse"), "a refresh token was used again after its successor had been used"],
    [count("forged_token"), "a refresh token without its secret was presented"],
    [count("fast_forward"), "the store had lost commits"],
    [count("unproven_refresh"), "a refresh came without a proof of the key that the session is bound to"],
  ] as const;
  const noticed = remarks.filter(([seen]) => seen > 0).map(([seen, what]) => ` Noticed ${times(seen)}: ${what}.`);
  const since = `Live since ${clockText(row.createdAt)}, ${refreshed}, last active ${clockText(row.lastActiveAt)}.`;
  const acting = actingSentence(row, now) ?? actedSentence(events);
  const sentences = [
    since,
    ...authenticationSentence(row),
    ...bindingSentence(row),
    ...(acting === undefined ? [] : [acting]),
  ];
  return sentences.join(" ") + noticed.join("");
};

const authenticationSentence = (row: SessionRecord): readonly string[] => {
  const { auth } = parseFacts(row.facts);
  if (auth === undefined) return [];
  const how = auth.methods.length === 0 ? "" : ` by ${auth.methods.join(", ")}`;
  return [`Last authenticated ${clockText(auth.at)}${how}${auth.level === undefined ? "" : ` (${auth.level})`}.`];
};

const bindingSentence = (row: SessionRecord): readonly string[] => {
  const { device } = parseFacts(row.facts);
  return device === undefined ? [] : [`Bound to a key of its device since ${clockText(device.at)}.`];
};

const actingSentence = (row: SessionRecord, now: Millis): string | undefined => {
  const act = actingAt(parseFacts(row.facts), now);
  if (act === undefined) return undefined;
  const { userId, at, until, reason } = act;
  return `Acts for the user ${userId} since ${clockText(at)}, until ${clockText(until)} at most (${reason}).`;
};

const actedSentence = (events: readonly EventRecord[]): string | undefined => {
  const ended = events.findLast((event) => event.type === "acting_ended");
  if (ended === undefined) return undefined;
  const { actor, userId, reason, end = "asked" } = actingOf(ended);
  const why: Readonly<Record<ActingEnd, string>> = {
    asked: "when that was asked for",
    time: "when its time was over",
    payload_changed: `when the payload of the user ${actor} changed`,
  };
  return `Acted for the user ${userId} (${reason}) until ${clockText(ended.at)}, ${why[end]}.`;
};

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

/** `2026-01-31 12:03 UTC`. */
const clockText = (at: Millis): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
