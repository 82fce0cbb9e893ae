import { type Millis, millis, NEVER, type SessionRecord, type TenantId, type UserId } from "@pawl/storage";
import { EngineError } from "../errors.js";
import type { Policy } from "../policy.js";
import { checkNewUserId, checkTenantId, dataText, payloadText } from "../sessions/session-input.js";
import type { JsonObject } from "../session.js";
import { secretHash } from "../tokens/refresh-token.js";
import { type ImportedCore, importedSecret, importedSessionId } from "./imported-core.js";

/** The number of the newest token of before, and of those minted from it. Older ones come before it. */
export const FIRST_SEQ = 1;

/** A session as its core had it. */
export interface OriginalSession {
  readonly sessionHandle: string;
  readonly tenantId: string;
  readonly userId: string;
  /** Hex SHA-256 of the hex SHA-256 of the newest refresh token that was seen in use. */
  readonly refreshTokenHash2: string;
  /** JSON objects as text. */
  readonly payload: string;
  readonly data: string;
  readonly createdAt: Millis;
  readonly expiresAt: Millis;
  readonly usesStaticKey: boolean;
}

/**
 * The row of an imported session. The access tokens of before are none of ours; its refresh tokens are, from the newest on.
 * @throws EngineError `invalid_input`, `payload_too_large` for what no session here can have; the message says what.
 */
export const importedSession = (
  core: ImportedCore,
  original: OriginalSession,
  { now, policy }: { readonly now: Millis; readonly policy: Pick<Policy, "idleTimeout" | "absoluteTimeout"> },
): SessionRecord => {
  const { sessionHandle, refreshTokenHash2, payload, data, createdAt, expiresAt } = original;
  const tenantId: TenantId = checkTenantId(original.tenantId);
  const userId: UserId = checkNewUserId(original.userId);
  if (userId === "") throw new EngineError("invalid_input", "it names no user");
  if (!/^[0-9a-f]{64}$/.test(refreshTokenHash2))
    throw new EngineError("invalid_input", "refresh_token_hash_2 is no SHA-256 in hex");
  for (const time of [createdAt, expiresAt])
    if (!Number.isSafeInteger(time) || time < 0 || time > NEVER)
      throw new EngineError("invalid_input", "created_at_time or expires_at is no time in milliseconds");
  payloadText(parsed("jwt_user_payload", payload), "v2");
  dataText(parsed("session_data", data));
  const { idleTimeout, absoluteTimeout = Number.POSITIVE_INFINITY } = policy;
  return {
    id: importedSessionId(core, original),
    tenantId,
    userId,
    secretHash: secretHash(importedSecret(core, sessionHandle, refreshTokenHash2)),
    current: FIRST_SEQ,
    next: FIRST_SEQ,
    issuedAt: millis(0),
    keyKind: original.usesStaticKey ? "static" : "dynamic",
    payload,
    data,
    facts: "{}",
    factsVersion: 0,
    payloadVersion: 0,
    bound: "",
    createdAt,
    lastActiveAt: createdAt,
    expiresAt: millis(Math.min(expiresAt, createdAt + absoluteTimeout)),
    // Nobody knows when it was last used: the import counts as a use.
    idleExpiresAt: idleTimeout === undefined ? NEVER : millis(now + idleTimeout),
  };
};

const parsed = (name: string, text: string): JsonObject => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // Said below.
  }
  throw new EngineError("invalid_input", `${name} is no JSON object`);
};
