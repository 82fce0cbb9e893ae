import { parseDuration } from "@pawl/engine";
import { type Millis, millis } from "@pawl/storage";
import { generalError, shown } from "./session-error.js";

/** Milliseconds, or a whole number with its unit: `"500ms"`, `"90s"`, `"15m"`, `"12h"`, `"30d"`, `"2w"`. */
export type Duration = number | string;

/**
 * Reads the duration given for an option.
 * @throws SessionError `GENERAL_ERROR` naming the option, its value and what is accepted.
 */
export const readDuration = (option: string, value: Duration): Millis => {
  const duration = typeof value === "string" ? parseDuration(value) : value;
  if (!Number.isSafeInteger(duration) || (duration as number) < 0)
    throw generalError(
      `${option} must be a whole number of milliseconds or a text such as "15m" (ms, s, m, h, d, w), not ${shown(value)}`,
    );
  return millis(duration as number);
};
