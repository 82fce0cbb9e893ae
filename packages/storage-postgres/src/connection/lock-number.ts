import { createHash } from "node:crypto";

/** The number of an advisory lock (64 bits, as text) for what these words name, apart from every other user of such locks. */
export const lockNumber = (...words: readonly string[]): string =>
  createHash("sha256")
    .update(["pawl", ...words].join("\0"))
    .digest()
    .readBigInt64BE()
    .toString();
