import { timingSafeEqual } from "node:crypto";

/** Compares texts, one of which may be a secret, in a time that does not tell where they differ. */
export const isSameText = (one: string, other: string): boolean => {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
};
