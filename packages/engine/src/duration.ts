import { type Millis, millis } from "@pawl/storage";

const units = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/**
 * Reads a duration such as `500ms`, `90s`, `30m`, `12h`, `90d`, `2w`: one whole number and one unit.
 * @returns undefined when the text is not a duration, or longer than JavaScript can count exactly.
 * @example parseDuration("15m") // 900000
 */
export const parseDuration = (text: string): Millis | undefined => {
  const [, count, unit] = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const value = Number(count) * (units[unit as keyof typeof units] ?? Number.NaN);
  return Number.isSafeInteger(value) ? millis(value) : undefined;
};

/** Writes a duration with the greatest unit that divides it, so that `parseDuration` reads it back. */
export const formatDuration = (duration: number): string => {
  const [unit, size] = Object.entries(units).find(([, size]) => duration >= size && duration % size === 0) ?? ["ms", 1];
  return `${duration / size}${unit}`;
};
