import { clearTimeout, setTimeout } from "node:timers";
import { StorageError } from "../errors.js";

/**
 * Waits for work, which goes on by itself when the time is over.
 * @param timeout in milliseconds.
 * @throws StorageError `unavailable` with the message.
 */
export const withinTime = async <T>(work: Promise<T>, timeout: number, message: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StorageError("unavailable", message)), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
