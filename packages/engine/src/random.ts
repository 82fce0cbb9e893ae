import { randomFillSync } from "node:crypto";

/** Where randomness comes from. Handed in everywhere, so that a test can repeat a run. */
export interface RandomSource {
  /** That many unpredictable bytes, in a buffer the caller may keep and change. */
  bytes(size: number): Buffer;
}

/** A source that asks the operating system for `poolSize` bytes at a time: one call in place of hundreds. */
export const createRandomPool = (poolSize = 8192): RandomSource => {
  const pool = Buffer.alloc(poolSize);
  let used = poolSize;
  return {
    bytes(size) {
      if (size > poolSize) return randomFillSync(Buffer.alloc(size));
      if (used + size > poolSize) {
        randomFillSync(pool);
        used = 0;
      }
      const taken = pool.subarray(used, used + size);
      const bytes = Buffer.from(taken);
      // Bytes that were given out must not stay readable in memory.
      taken.fill(0);
      used += size;
      return bytes;
    },
  };
};

/** The operating system's generator, through a pool. */
export const systemRandom: RandomSource = createRandomPool();

/** Writes 16 bytes as a UUID in lower case, changing nothing. */
export const formatUuid = (bytes: Buffer): string => {
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
};

/** Sets the six bits that make 16 bytes a UUID of version 4 (RFC 9562 section 5.4), and writes it. */
export const formatUuidV4 = (bytes: Buffer): string => {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(bytes);
};

/** A random UUID of version 4 (RFC 9562 section 5.4), in lower case. */
export const randomUuid = (random: RandomSource): string => formatUuidV4(random.bytes(16));
