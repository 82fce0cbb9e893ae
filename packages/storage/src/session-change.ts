import type { SessionRecord } from "./records.js";
import type { SessionChange } from "./storage.js";

/** A live row after a change of it, which goes by its `expected`. */
export const afterChange = (row: SessionRecord, change: SessionChange): SessionRecord => {
  const { payload = row.payload, data = row.data, facts = row.facts, bound = row.bound } = change;
  const outdates = change.payload !== undefined || change.announced === true;
  return {
    ...row,
    payload,
    data,
    facts,
    bound,
    factsVersion: row.factsVersion + (change.facts === undefined ? 0 : 1),
    payloadVersion: row.payloadVersion + (outdates ? 1 : 0),
  };
};

/** Whether a row is the one that a change expects. */
export const isExpected = (row: SessionRecord, { expected = {} }: SessionChange): boolean =>
  (["factsVersion", "payloadVersion", "next"] as const).every(
    (name) => expected[name] === undefined || expected[name] === row[name],
  );
