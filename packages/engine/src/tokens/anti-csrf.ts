import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { SessionId } from "@pawl/storage";
import { formatUuidV4 } from "../random.js";

const LABEL = "pawl anti-csrf 1";

/**
 * The anti-CSRF token of a session: the first 16 bytes of HMAC-SHA256 over its id, keyed by the session's own secret
 * (the 32 bytes in its refresh tokens), written as a UUID. Constant for the life of the session, whatever becomes of
 * the master keys (decision 0004); tells nothing of the secret.
 */
export const antiCsrfToken = (secret: Buffer, id: SessionId): string =>
  formatUuidV4(
    // A key object, as in refresh-token.ts.
    createHmac("sha256", createSecretKey(secret)).update(`${LABEL}\0${id}`).digest().subarray(0, 16),
  );

/** Whether the token presented is the one expected, in a time that does not depend on where they differ. */
export const antiCsrfTokenMatches = (expected: string | undefined, presented: string | undefined): boolean => {
  if (expected === undefined || presented === undefined || presented.length !== expected.length) return false;
  const [left, right] = [Buffer.from(expected), Buffer.from(presented)];
  return left.length === right.length && timingSafeEqual(left, right);
};
