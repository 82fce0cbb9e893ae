import {
  type CountRecord,
  type EndReason,
  type Millis,
  millis,
  type SessionReference,
  type Storage,
  type TenantId,
} from "@pawl/storage";
import { HOUR, type LiveCount } from "./live-count.js";

/** Counts written in one step. */
const BATCH = 500;

/** What is counted: how often it happened. `refresh`: refreshes that made new tokens; `ended.…`: sessions, by reason. */
export type CountName = "login" | "refresh" | "theft" | "step_up" | "acting" | "bound" | `ended.${EndReason}`;

/** Counts what happens in this process, for the counts per hour of the store. */
export interface Counts {
  add(name: CountName, tenantId: TenantId): void;
  addEnds(sessions: readonly Pick<SessionReference, "tenantId">[], reason: EndReason): void;
  /**
   * Adds what was counted since to the store's counts. What fails is kept for the next time: a batch whose answer was lost
   * is counted twice then.
   */
  flush(): Promise<void>;
}

/** A count in the store is of one tenant, whose id has no blank. */
const storedName = (name: string, tenantId: TenantId): string => `${name} ${tenantId}`;

/** Reads what `storedName` has written. */
export const parseStoredName = (stored: string): { readonly name: string; readonly tenantId: string } => {
  const at = stored.indexOf(" ");
  return { name: stored.slice(0, at), tenantId: stored.slice(at + 1) };
};

export const createCounts = (storage: Pick<Storage, "now" | "addCounts">, live?: Pick<LiveCount, "move">): Counts => {
  /** By hour, then by stored name. */
  let counted = new Map<Millis, Map<string, number>>();
  /** Sessions that began, less those that ended. */
  let moved = 0;

  const addSome = (stored: string, hour: Millis, count: number): void => {
    let names = counted.get(hour);
    if (names === undefined) counted.set(hour, (names = new Map()));
    names.set(stored, (names.get(stored) ?? 0) + count);
  };
  const thisHour = (): Millis => millis(Math.floor(storage.now() / HOUR) * HOUR);

  const flushCounts = async (): Promise<void> => {
    const records = [...counted].flatMap(([hour, names]) =>
      [...names].map(([name, count]): CountRecord => ({ hour, name, count })),
    );
    counted = new Map();
    for (let at = 0; at < records.length; at += BATCH) {
      try {
        await storage.addCounts(records.slice(at, at + BATCH));
      } catch (error) {
        for (const { hour, name, count } of records.slice(at)) addSome(name, hour, count);
        throw error;
      }
    }
  };

  return {
    add(name, tenantId) {
      if (name === "login") moved += 1;
      addSome(storedName(name, tenantId), thisHour(), 1);
    },
    addEnds(sessions, reason) {
      moved -= sessions.length;
      for (const { tenantId } of sessions) addSome(storedName(`ended.${reason}`, tenantId), thisHour(), 1);
    },
    async flush() {
      await flushCounts();
      const by = moved;
      moved = 0;
      try {
        if (by !== 0) await live?.move(by);
      } catch (error) {
        moved += by;
        throw error;
      }
    },
  };
};
