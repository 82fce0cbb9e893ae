import { type CountRecord, type CountSelector, type Millis, millis, type Page, type PageRequest } from "@pawl/storage";
import { countPage, decodeCountPosition } from "@pawl/storage/adapter";
import { placeOf } from "./events/events.js";
import { storeTag } from "./key-space.js";
import { compareBytes } from "./merge.js";
import * as scripts from "./scripts/store-scripts.js";
import { runOn, type Store } from "./store.js";

const keys = ["counts", "hours"] as const;

/** Where a count stands: what sorts as hour and name do. */
const standOf = ({ hour, name }: Pick<CountRecord, "hour" | "name">): string => `${placeOf(hour)} ${name}`;

const countOf = (stand: string, count: string): CountRecord => {
  const blank = stand.indexOf(" ");
  const place = stand.slice(0, blank);
  const hour = place.startsWith("-") ? Number(place.slice(1)) - 9e15 : Number(place);
  return { hour: millis(hour), name: stand.slice(blank + 1), count: Number(count) };
};

export const addCounts = async (store: Store, counts: readonly CountRecord[]): Promise<void> => {
  if (counts.length === 0) return;
  const args = counts.flatMap((count) => [standOf(count), count.count]);
  await runOn(store, storeTag, { script: scripts.addCounts, keys, args });
};

export const listCounts = async (
  store: Store,
  { from, to }: CountSelector,
  { limit, after }: PageRequest,
): Promise<Page<CountRecord>> => {
  const start = after === undefined ? "" : standOf(decodeCountPosition(after));
  const first = placeOf(from);
  const lower = compareBytes(start, first) < 0 ? `[${first}` : `(${start}`;
  const args = [lower, `(${placeOf(to)}`, limit + 1];
  const values = (await runOn(store, storeTag, { script: scripts.listCounts, keys, args })).values as readonly string[];
  const found = Array.from({ length: values.length / 2 }, (_, index) =>
    countOf(values[2 * index]!, values[2 * index + 1]!),
  );
  return countPage(found, limit);
};

/** @returns how many were deleted. */
export const deleteCounts = async (store: Store, before: Millis, limit: number): Promise<number> => {
  const { values } = await runOn(store, storeTag, {
    script: scripts.deleteCounts,
    keys,
    args: [`(${placeOf(before)}`, limit],
  });
  return values[0] as number;
};
