import { createHmac, createSecretKey } from "node:crypto";
import type { SessionId } from "@pawl/storage";
import { formatUuidV4 } from "../random.js";
import { isSameText } from "../same-text.js";

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

/** Whether there is a token, and it is the one expected. */
export const antiCsrfTokenMatches = (expected: string | undefined, presented: string | undefined): boolean =>
  expected !== undefined && presented !== undefined && isSameText(expected, presented);
