import { type Millis, millis } from "@pawl/storage";
import { generalError } from "./session-error.js";

/** Milliseconds, or a whole number with its unit: `"500ms"`, `"90s"`, `"15m"`, `"12h"`, `"30d"`, `"2w"`. */
export type Duration = number | string;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * Reads a duration into milliseconds.
 * @throws SessionError `GENERAL_ERROR` naming the option, its value and what is accepted.
 */
export const readDuration = (option: string, value: Duration): Millis => {
  const [, count, unit] = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(String(value)) ?? [];
  const duration = typeof value === "number" ? value : Number(count) * (units[unit as keyof typeof units] ?? NaN);
  if (!Number.isSafeInteger(duration) || duration < 0)
    throw generalError(
      `${option} must be a whole number of milliseconds or a text such as "15m" (ms, s, m, h, d, w), not ${JSON.stringify(value)}`,
    );
  return millis(duration);
};
