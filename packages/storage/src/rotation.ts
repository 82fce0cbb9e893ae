import { timingSafeEqual } from "node:crypto";
import { type Millis, millis, NEVER } from "./identifiers.js";
import { isLive, type SessionRecord, type SigningKeyKind } from "./records.js";
import type { Lifetimes, RotationAttempt, UseNote, UsePolicy } from "./storage.js";

/** What a presented refresh token claims, and the reuse window (ms) it is judged with. */
export type PresentedToken = Pick<RotationAttempt, "seq" | "iat" | "secretHash" | "window" | "proof"> & {
  /** The token from which it was minted, where it says so. */
  readonly parent?: number | undefined;
};

/** What a refresh means for a row. Only `mint`, `fast_forward` and `reuse` write. */
export type RotationDecision =
  /** There is no such live session. */
  | { readonly kind: "absent" }
  /** The token does not carry the secret of this session. No alarm, no write to the row. */
  | { readonly kind: "forged" }
  /** The session is bound to a key that did not prove this attempt: refused, whatever the token. No alarm, no write. */
  | { readonly kind: "unproven" }
  /** The store lost commits: the row becomes what the rotation that made this token had left; answer it again, sealed now. */
  | { readonly kind: "fast_forward"; readonly seq: number; readonly current: number; readonly issuedAt: Millis }
  /** No honest client could hold this token any more: end the session. */
  | { readonly kind: "reuse" }
  /** Answer the newest token again, sealed now. */
  | { readonly kind: "repeat"; readonly seq: number }
  /** Answer the presented token again, sealed with its own `iat`. */
  | { readonly kind: "keep" }
  /** `current = seq; next = next + 1`, answer the new `next`. */
  | { readonly kind: "mint"; readonly seq: number };

/**
 * Decides a refresh: pure, and the one place where it is decided. The guard of `Storage.rotate` is its `mint` branch.
 * The protocol is drawn in the README of `@pawl/engine`; it departs from RFC 9700 section 4.14.2 as listed there.
 */
export const decideRotation = (
  row: SessionRecord | undefined,
  token: PresentedToken,
  now: Millis,
): RotationDecision => {
  if (row === undefined || !isLive(row, now)) return { kind: "absent" };
  if (!sameHash(token.secretHash, row.secretHash)) return { kind: "forged" };
  if (row.bound !== "" && row.bound !== token.proof) return { kind: "unproven" };
  const { seq, iat, window, parent } = token;
  const { current, next, issuedAt } = row;
  if (seq > next)
    return {
      kind: "fast_forward",
      seq,
      current: Math.max(current, parent ?? current),
      issuedAt: millis(Math.min(now, Math.max(issuedAt, iat))),
    };

  const fresh = window > 0 && (now - issuedAt <= window || (seq === next && now - iat <= window));
  // Between `current` and `next` stand tokens whose successors nobody was seen to use. An honest client holds such a copy
  // only if it was handed out within a window of the displacement.
  const straggler = current < seq && seq < next && window > 0 && (fresh || issuedAt - iat <= window);
  if (seq !== current && seq !== next && !straggler) return { kind: "reuse" };
  if (!fresh) return { kind: "mint", seq };
  return seq === next ? { kind: "keep" } : { kind: "repeat", seq: next };
};

/**
 * Decides the reported use of an access token: `confirm` when it shows that nobody honest holds anything older than the
 * newest refresh token (`current = next`), otherwise nothing. A use never alarms and never fast-forwards.
 */
export const decideUse = (
  row: SessionRecord | undefined,
  use: Pick<UseNote, "seq" | "iat"> & { readonly window: Millis },
  now: Millis,
): "confirm" | "nothing" => {
  if (row === undefined || !isLive(row, now)) return "nothing";
  const { seq, iat, window } = use;
  const settled = window === 0 || now - iat > window;
  // It was displaced, though not within a window of its sealing, and did arrive: two parties rotate. Whoever comes next
  // with anything but the newest token is one of them.
  const bypassed = seq < row.next && window > 0 && row.issuedAt - iat > window;
  return row.current < seq && settled && (seq === row.next || bypassed) ? "confirm" : "nothing";
};

/** A row after the mint of a successor of `seq`. */
export const afterMint = (
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
export const afterFastForward = (
  row: SessionRecord,
  { seq, current, issuedAt }: { readonly seq: number; readonly current: number; readonly issuedAt: Millis },
): SessionRecord => ({ ...row, current, next: seq, issuedAt });

/** A live row after a use was noted: the same object when the note changes nothing. */
export const afterUse = (
  row: SessionRecord,
  note: UseNote,
  { now, window, idleTimeout, activityInterval }: UsePolicy & { readonly now: Millis },
): SessionRecord => {
  const confirms = decideUse(row, { ...note, window }, now) === "confirm";
  const moves = now - row.lastActiveAt >= activityInterval;
  if (!confirms && !moves) return row;
  return {
    ...row,
    current: confirms ? row.next : row.current,
    ...(moves ? { lastActiveAt: now, idleExpiresAt: idleEnd(now, idleTimeout) } : {}),
  };
};

const idleEnd = (now: Millis, idleTimeout: Millis | undefined): Millis =>
  idleTimeout === undefined ? NEVER : millis(now + idleTimeout);

const sameHash = (presented: string, stored: string): boolean => {
  const left = Buffer.from(presented);
  const right = Buffer.from(stored);
  return left.length === right.length && timingSafeEqual(left, right);
};
