import { type Millis, millis, type Storage, type TenantId } from "@pawl/storage";
import { readAllPages } from "../all-pages.js";
import { EngineError } from "../errors.js";
import { type CountName, parseStoredName } from "./counts.js";
import { HOUR } from "./live-count.js";

/** Which counts: of the steps in which any time from `from` on and before `to` lies, of all tenants together unless one is named. */
export interface CountRange {
  readonly from: Millis;
  readonly to: Millis;
  /** `hour` unless given; days are those of UTC. */
  readonly step?: "hour" | "day" | undefined;
  readonly tenantId?: TenantId | undefined;
}

/** How often something happened within a step. */
export interface Count {
  /** The beginning of the step, ms since the epoch. */
  readonly at: Millis;
  readonly name: CountName;
  readonly count: number;
}

const steps = { hour: HOUR, day: 24 * HOUR } as const;
/** Steps in one answer: forty days of hours. */
const MOST_STEPS = 1000;

/** The counts of a range by time, then by name. @throws EngineError `invalid_input` for more than 1000 steps. */
export const listCounts = async (
  storage: Pick<Storage, "listCounts">,
  { from, to, step = "hour", tenantId }: CountRange,
): Promise<readonly Count[]> => {
  const length = steps[step];
  if (!(to - from <= MOST_STEPS * length))
    throw new EngineError("invalid_input", `a range of counts has at most ${MOST_STEPS} steps`);
  const range = { from: millis(Math.floor(from / length) * length), to: millis(Math.ceil(to / length) * length) };
  const records = await readAllPages((page) => storage.listCounts(range, page));
  const sums = new Map<string, number>();
  for (const { hour, name: stored, count } of records) {
    const counted = parseStoredName(stored);
    if (counted.tenantId !== (tenantId ?? counted.tenantId)) continue;
    const key = `${Math.floor(hour / length) * length} ${counted.name}`;
    sums.set(key, (sums.get(key) ?? 0) + count);
  }
  return [...sums]
    .map(([key, count]) => {
      const [at = "", name = ""] = key.split(" ");
      return { at: millis(Number(at)), name: name as CountName, count };
    })
    .toSorted((left, right) => left.at - right.at || (left.name < right.name ? -1 : 1));
};
