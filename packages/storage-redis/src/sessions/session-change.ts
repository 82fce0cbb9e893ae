import type { LiveSession, Millis, SessionChange, SessionChangeResult, SessionId, TenantId } from "@pawl/storage";
import { appendEvents, eventArguments, tagOfEvent } from "../events/events.js";
import { groupByTag, tagOfSession } from "../key-space.js";
import * as scripts from "../scripts/row-scripts.js";
import { eventKeys, eventPlace, runOn, type Store } from "../store.js";
import { recordOf } from "./session-row.js";

const argumentOf = (text: string | undefined): string => (text === undefined ? "" : `=${text}`);

/** One step, after which events that name another user follow: they stand in another slot. */
export const changeSession = async (
  store: Store,
  id: SessionId,
  change: SessionChange,
): Promise<SessionChangeResult> => {
  const { expected = {}, payload, data, facts, bound, announced = false, events = [] } = change;
  const tag = tagOfSession(id);
  const own = events.filter((event) => tagOfEvent(event) === tag);
  const { now, values } = await runOn(store, tag, {
    script: scripts.changeSession,
    keys: [`s:${id}`, ...(announced ? ["changes"] : []), ...(own.length === 0 ? [] : eventKeys(store))],
    args: [
      eventPlace(store, tag),
      id,
      expected.factsVersion ?? "",
      expected.payloadVersion ?? "",
      expected.next ?? "",
      ...[payload, data, facts, bound].map(argumentOf),
      announced ? 1 : "",
      ...own.flatMap(eventArguments),
    ],
  });
  const record = recordOf(id, values, 1);
  if (record === undefined) return { kind: "absent" };
  const kind = values[0] as "changed" | "conflict";
  const others = events.filter((event) => tagOfEvent(event) !== tag);
  if (kind === "changed" && others.length > 0) await appendEvents(store, others);
  return { kind, record, now };
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
        const [tenantId, payloadVersion, expiresAt, idleExpiresAt] = values.slice(4 * index, 4 * index + 4);
        if (tenantId !== "")
          live.set(id, {
            tenantId: tenantId as TenantId,
            payloadVersion: Number(payloadVersion),
            expiresAt: Number(expiresAt) as Millis,
            idleExpiresAt: Number(idleExpiresAt) as Millis,
          });
      }
    }),
  );
  return ids.map((id) => live.get(id));
};
