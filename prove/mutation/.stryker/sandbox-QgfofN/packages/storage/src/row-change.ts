import { type Millis, millis, NEVER } from "./identifiers.js";
import {
  type EndReason,
  type EventRecord,
  isLive,
  type SessionRecord,
  type SessionReference,
  type SigningKeyKind,
} from "./records.js";
import type { Lifetimes, RotationAttempt, UseNote, UsePolicy } from "./storage.js";

/** How far `lastActiveAt` may lie behind before a use moves it. */
const activityGrain = 60_000;

const idleEnd = (now: Millis, idleTimeout: Millis | undefined): Millis =>
  idleTimeout === undefined ? NEVER : millis(now + idleTimeout);

/** The guard of `Storage.rotate`: whether an attempt is an ordinary refresh, which mints a successor. */
export const mintsSuccessor = (row: SessionRecord, attempt: RotationAttempt, now: Millis): boolean => {
  const { seq, iat, window } = attempt;
  const fresh = window > 0 && (now - row.issuedAt <= window || (seq === row.next && now - iat <= window));
  const between = row.current < seq && seq < row.next && window > 0 && row.issuedAt - iat <= window;
  const ours = seq === row.current || seq === row.next || between;
  return isLive(row, now) && row.secretHash === attempt.secretHash && seq <= row.next && !fresh && ours;
};

/** A row after the mint of a successor of `seq`. */
export const mintSuccessor = (
  row: SessionRecord,
  mint: {
    readonly seq: number;
    readonly lifetimes: Lifetimes;
    readonly keyKind?: SigningKeyKind;
    readonly now: Millis;
  },
): SessionRecord => {
  const { refreshValidity, idleTimeout, absoluteTimeout } = mint.lifetimes;
  const end = mint.now + refreshValidity;
  return {
    ...row,
    current: mint.seq,
    next: row.next + 1,
    issuedAt: mint.now,
    expiresAt: millis(absoluteTimeout === undefined ? end : Math.min(end, row.createdAt + absoluteTimeout)),
    idleExpiresAt: idleEnd(mint.now, idleTimeout),
    keyKind: mint.keyKind ?? row.keyKind,
  };
};

/** A row that had lost commits, after a token of a lost rotation was seen. */
export const fastForward = (
  row: SessionRecord,
  { seq, current, issuedAt }: { readonly seq: number; readonly current: number; readonly issuedAt: Millis },
): SessionRecord => ({ ...row, current, next: seq, issuedAt });

/** A live row after a use was noted: the same object when the note changes nothing. */
export const noteUse = (
  row: SessionRecord,
  note: UseNote,
  context: UsePolicy & { readonly now: Millis },
): SessionRecord => {
  const { now, window, idleTimeout } = context;
  const confirms = note.seq === row.next && row.current < row.next && (window === 0 || now - note.iat > window);
  const moves = now - row.lastActiveAt >= activityGrain;
  if (!confirms && !moves) return row;
  return {
    ...row,
    current: confirms ? row.next : row.current,
    ...(moves ? { lastActiveAt: now, idleExpiresAt: idleEnd(now, idleTimeout) } : {}),
  };
};

/** A row after its end: flagged, with payload and data dropped. */
export const endRow = (
  row: SessionRecord,
  end: { readonly at: Millis; readonly reason: EndReason },
): SessionRecord => ({
  ...row,
  payload: "{}",
  data: "{}",
  endedAt: end.at,
  endReason: end.reason,
});

/** The event that storage writes for each session it ends. A session ends once, so the key is its id. */
export const sessionEndedEvent = (
  session: SessionReference,
  end: { readonly at: Millis; readonly reason: EndReason; readonly detail?: string },
): EventRecord => ({
  key: `session_ended:${session.id}`,
  at: end.at,
  type: "session_ended",
  tenantId: session.tenantId,
  userId: session.userId,
  sessionId: session.id,
  reason: end.reason,
  ...(end.detail === undefined ? {} : { detail: JSON.stringify({ by: end.detail }) }),
  count: 1,
});

/** How a row that expired without having been ended came to its end. */
export const expiryOf = (
  row: Pick<SessionRecord, "expiresAt" | "idleExpiresAt">,
): { readonly at: Millis; readonly reason: EndReason } =>
  row.idleExpiresAt < row.expiresAt
    ? { at: row.idleExpiresAt, reason: "idle" }
    : { at: row.expiresAt, reason: "expired" };

/** When a session last got a refresh token: what the session limit of a user orders by. */
export const refreshedAt = (row: SessionRecord): Millis => millis(Math.max(row.issuedAt, row.createdAt));
