import {
  afterFastForward,
  afterUse,
  type ApplyResult,
  type ExpectedRow,
  isLive,
  type Lifetimes,
  type Millis,
  millis,
  NEVER,
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  type SessionRecord,
  type UseNote,
  type UsePolicy,
} from "@pawl/storage";
import { appendEvents } from "../events.js";
import type { Transaction } from "../transaction.js";
import { getSession, revokeSessions } from "./sessions.js";
import * as statements from "./statements.js";

export const rotate = ({ database, now }: Transaction, attempt: RotationAttempt): RotationResult => {
  const { id, seq, iat, secretHash, window, lifetimes, keyKind: wanted = null, proof = null } = attempt;
  const idleExpiresAt = idleEnd(lifetimes, now);
  const rotated = database.getColumns(statements.rotateSession, {
    id,
    seq,
    iat,
    secretHash,
    window,
    now,
    refreshValidity: lifetimes.refreshValidity,
    absoluteTimeout: lifetimes.absoluteTimeout ?? NEVER,
    idleExpiresAt,
    keyKind: wanted,
    proof,
  });
  if (rotated === undefined) {
    const found = getSession(database, id);
    return found === undefined ? { minted: false, now } : { minted: false, record: found, now };
  }
  const [
    next,
    expiresAt,
    keyKind,
    tenantId,
    userId,
    createdAt,
    lastActiveAt,
    device,
    address,
    payload,
    data,
    facts,
    factsVersion,
    payloadVersion,
    bound,
    link,
    subject,
  ] = rotated;
  const record: SessionRecord = {
    id,
    tenantId,
    userId,
    secretHash,
    current: seq,
    next,
    issuedAt: now,
    keyKind,
    payload,
    data,
    facts,
    factsVersion,
    payloadVersion,
    bound,
    ...(link !== null && { link }),
    ...(subject !== null && { subject }),
    ...(device !== null && { device }),
    ...(address !== null && { address }),
    createdAt,
    lastActiveAt,
    expiresAt,
    idleExpiresAt,
  };
  return { minted: true, record, now };
};

export const applyRotation = (transaction: Transaction, expected: ExpectedRow, change: RotationChange): ApplyResult => {
  const { database, now } = transaction;
  const row = getSession(database, expected.id);
  if (row === undefined || !isLive(row, now) || row.current !== expected.current || row.next !== expected.next)
    return { kind: "conflict" };
  if (change.kind === "end") {
    const ended = revokeSessions(transaction, { kind: "ids", ids: [row.id] }, { reason: change.reason });
    appendEvents(transaction, change.events);
    return { kind: "applied", record: getSession(database, row.id) ?? row, ended, now };
  }
  appendEvents(transaction, change.events);
  return { kind: "applied", record: put(transaction, afterFastForward(row, change)), ended: [], now };
};

export const reportUse = (transaction: Transaction, note: UseNote, policy: UsePolicy): SessionRecord | undefined => {
  const { database, now } = transaction;
  const row = getSession(database, note.id);
  if (row === undefined || !isLive(row, now)) return undefined;
  const noted = afterUse(row, note, { ...policy, now });
  return noted === row ? row : put(transaction, noted);
};

const idleEnd = ({ idleTimeout }: Lifetimes, now: Millis): Millis =>
  idleTimeout === undefined ? NEVER : millis(now + idleTimeout);

const put = ({ database }: Transaction, record: SessionRecord): SessionRecord => {
  const { id, current, next, issuedAt, lastActiveAt, expiresAt, idleExpiresAt, keyKind } = record;
  const columns = { id, current, next, issuedAt, lastActiveAt, expiresAt, idleExpiresAt, keyKind };
  database.run(statements.updateRotation, columns);
  return record;
};
