import {
  type ApplyResult,
  type EventRecord,
  type ExpectedRow,
  type Lifetimes,
  type RotationAttempt,
  type RotationChange,
  type RotationResult,
  type SessionId,
  type SessionRecord,
  type SessionReference,
  StorageError,
  type UseNote,
  type UsePolicy,
} from "@pawl/storage";
import { eventArguments } from "../events/events.js";
import { groupByTag, shortOf, type Tag, tagOfSession, tagOfUser } from "../key-space.js";
import { createSession as create, importSessions as insert } from "../scripts/index-scripts.js";
import * as scripts from "../scripts/row-scripts.js";
import { eventKeys, eventPlace, runOn, type Store } from "../store.js";
import { fieldCount, fieldsOf, letterOf, recordOf, referencesOf } from "./session-row.js";

export const getSession = async (store: Store, id: SessionId): Promise<SessionRecord | undefined> => {
  const { values } = await runOn(store, tagOfSession(id), { script: scripts.getSession, keys: [`s:${id}`] });
  return recordOf(id, values);
};

/**
 * The tag of a row, where its user's rows have to stand.
 * @throws StorageError `invalid_record` when the id is not one of its user: it could not be found by the user.
 */
const placeOf = (record: SessionRecord): Tag => {
  const tag = tagOfUser(record);
  if (!/^[0-9a-f]{4}/u.test(record.id) || tagOfSession(record.id) !== tag)
    throw new StorageError("invalid_record", "the session id does not begin with the bucket of its tenant and user");
  return tag;
};

/** A row as `insert` reads it. */
const rowArguments = (record: SessionRecord): readonly (string | number)[] => {
  const [v, h, t, u, x, p, d, f] = fieldsOf(record);
  return [record.id, record.endedAt === undefined ? 0 : 1, record.expiresAt, v, h, t, u, x ?? "", p, d, f ?? ""];
};

/** @returns the sessions ended for the limit. */
export const createSession = async (
  store: Store,
  record: SessionRecord,
  maxPerUser: number | undefined,
): Promise<readonly SessionReference[]> => {
  const tag = placeOf(record);
  const { values } = await runOn(store, tag, {
    script: create,
    keys: [`s:${record.id}`, "ids", "sweep", `u:${shortOf(record.userId)}`, "feed", ...eventKeys(store)],
    args: [eventPlace(store, tag), maxPerUser ?? "", ...rowArguments(record)],
  });
  const [inserted, ...ended] = values;
  if (inserted !== 1) throw new StorageError("invalid_record", "the session id is taken");
  return referencesOf(ended);
};

/** Each tag in one step. @returns for each, in order, whether it was inserted. */
export const importSessions = async (store: Store, records: readonly SessionRecord[]): Promise<readonly boolean[]> => {
  const indexes = groupByTag(records.keys(), (index) => placeOf(records[index]!));
  const inserted: boolean[] = [];
  await Promise.all(
    [...indexes].map(async ([tag, of]) => {
      const args = [store.keys.of(tag), ...of.flatMap((index) => rowArguments(records[index]!))];
      const { values } = await runOn(store, tag, { script: insert, keys: ["ids", "sweep"], args });
      for (const [at, index] of of.entries()) inserted[index] = values[at] === 1;
    }),
  );
  return inserted;
};

const lifetimeArguments = ({
  refreshValidity,
  idleTimeout,
  absoluteTimeout,
}: Lifetimes): readonly (string | number)[] => [refreshValidity, idleTimeout ?? "", absoluteTimeout ?? ""];

export const rotate = async (store: Store, attempt: RotationAttempt): Promise<RotationResult> => {
  const { id, seq, iat, secretHash, window, lifetimes, keyKind, proof = "" } = attempt;
  const tag = tagOfSession(id);
  const call = {
    script: scripts.rotate,
    keys: [`s:${id}`],
    args: [seq, iat, secretHash, window, ...lifetimeArguments(lifetimes), letterOf(keyKind), id, proof],
  };
  let { now, values } = await runOn(store, tag, call);
  if (values[0] === "sweep") ({ now, values } = await runOn(store, tag, { ...call, keys: [...call.keys, "sweep"] }));
  const record = recordOf(id, values, 1);
  return record === undefined ? { minted: false, now } : { minted: values[0] === 1, record, now };
};

export const applyRotation = async (
  store: Store,
  { id, current, next }: ExpectedRow,
  change: RotationChange,
): Promise<ApplyResult> => {
  const tag = tagOfSession(id);
  const [names, args] = changeArguments(store, change);
  const { now, values } = await runOn(store, tag, {
    script: scripts.applyRotation,
    keys: [`s:${id}`, ...names],
    args: [eventPlace(store, tag), id, current, next, change.kind, ...args],
  });
  const record = recordOf(id, values);
  if (record === undefined) return { kind: "conflict" };
  return { kind: "applied", record, ended: referencesOf(values.slice(fieldCount)), now };
};

/** The further keys of a change, by what follows their prefix, and its arguments. */
const changeArguments = (
  store: Store,
  change: RotationChange,
): readonly [readonly string[], readonly (string | number)[]] => {
  const noted = (events: readonly EventRecord[]): readonly (string | number)[] => events.flatMap(eventArguments);
  switch (change.kind) {
    case "fast_forward":
      return [
        change.events.length === 0 ? [] : eventKeys(store),
        [change.seq, change.current, change.issuedAt, ...noted(change.events)],
      ];
    case "end":
      return [
        ["ids", "feed", ...eventKeys(store)],
        [change.reason, ...noted(change.events)],
      ];
  }
};

/** Each note in a step of its own. */
export const reportUses = (store: Store, notes: readonly UseNote[], policy: UsePolicy) =>
  Promise.all(
    notes.map(async ({ id, seq, iat }) => {
      const tag = tagOfSession(id);
      const { window, idleTimeout = "", activityInterval } = policy;
      const { values } = await runOn(store, tag, {
        script: scripts.reportUse,
        keys: [`s:${id}`],
        args: [store.keys.of(tag), id, seq, iat, window, idleTimeout, activityInterval],
      });
      return recordOf(id, values);
    }),
  );
