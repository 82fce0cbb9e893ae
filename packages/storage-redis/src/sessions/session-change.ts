import type { LiveSession, Millis, SessionChange, SessionChangeResult, SessionId } from "@pawl/storage";
import { eventArguments } from "../events/events.js";
import { groupByTag, tagOfSession } from "../key-space.js";
import * as scripts from "../scripts/row-scripts.js";
import { eventKeys, eventPlace, runOn, type Store } from "../store.js";
import { recordOf } from "./session-row.js";

const argumentOf = (text: string | undefined): string => (text === undefined ? "" : `=${text}`);

/** One step. */
export const changeSession = async (
  store: Store,
  id: SessionId,
  change: SessionChange,
): Promise<SessionChangeResult> => {
  const { expected = {}, payload, data, facts, bound, announced = false, events = [] } = change;
  const tag = tagOfSession(id);
  const { now, values } = await runOn(store, tag, {
    script: scripts.changeSession,
    keys: [`s:${id}`, ...(announced ? ["changes"] : []), ...(events.length === 0 ? [] : eventKeys(store))],
    args: [
      eventPlace(store, tag),
      id,
      expected.factsVersion ?? "",
      expected.payloadVersion ?? "",
      expected.next ?? "",
      ...[payload, data, facts, bound].map(argumentOf),
      announced ? 1 : "",
      ...events.flatMap(eventArguments),
    ],
  });
  const record = recordOf(id, values, 1);
  return record === undefined ? { kind: "absent" } : { kind: values[0] as "changed" | "conflict", record, now };
};

/** Each tag in one step. */
export const liveOf = async (
  store: Store,
  ids: readonly SessionId[],
): Promise<readonly (LiveSession | undefined)[]> => {
  const live = new Map<SessionId, LiveSession>();
  await Promise.all(
    [...groupByTag(new Set(ids), tagOfSession)].map(async ([tag, ofTag]) => {
      const keys = ofTag.map((id) => `s:${id}`);
      const args = [store.keys.of(tag), ...ofTag];
      const { values } = await runOn(store, tag, { script: scripts.liveOf, keys, args });
      for (const [index, id] of ofTag.entries()) {
        const [payloadVersion, expiresAt, idleExpiresAt] = values.slice(3 * index, 3 * index + 3) as readonly string[];
        if (expiresAt !== "")
          live.set(id, {
            payloadVersion: Number(payloadVersion),
            expiresAt: Number(expiresAt) as Millis,
            idleExpiresAt: Number(idleExpiresAt) as Millis,
          });
      }
    }),
  );
  return ids.map((id) => live.get(id));
};
