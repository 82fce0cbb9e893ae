import { createDecipheriv, hash, pbkdf2Sync } from "node:crypto";

/** What a refresh token of a SuperTokens core says of its session. */
export interface SuperTokensToken {
  readonly sessionHandle: string;
  readonly userId: string;
  /** `public` where the token names none. */
  readonly tenantId: string;
  /** Hex SHA-256 of the token from which this one was minted; absent for a session's first. */
  readonly parentRefreshTokenHash1?: string | undefined;
  /** Absent where none was issued with it. */
  readonly antiCsrfToken?: string | undefined;
}

/** base64(nonce of 12 bytes, AES-256-GCM of JSON, tag of 16 bytes) "." hex(32 bytes) "." version, read without regard to case. */
const FORM = /^((?:[A-Za-z0-9+/]{4}){20,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\.([0-9a-f]{64})\.V[12]$/i;
const MOST_CHARACTERS = 4096;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ITERATIONS = 100;

/** Whether a text has the form of such a token; says nothing of who made it. */
export const isSuperTokensForm = (token: unknown): token is string =>
  // The dot first, which none of our own refresh tokens has there: every one of them is asked.
  typeof token === "string" && token.length <= MOST_CHARACTERS && token.at(-3) === "." && FORM.test(token);

/**
 * Opens a token of the versions V1 and V2.
 * @param key the core's refresh token key, as its table `key_value` holds it.
 * @returns undefined for everything that no core with this key made, whatever it is.
 */
export const openSuperTokensToken = (token: string, key: string): SuperTokensToken | undefined => {
  const [, sealed = "", nonce = ""] = (isSuperTokensForm(token) && FORM.exec(token)) || [];
  const bytes = Buffer.from(sealed, "base64");
  // Only the one spelling that the core writes: what is changed on the way is no token, rather than a stolen one.
  if (sealed === "" || bytes.toString("base64") !== sealed) return undefined;
  const salt = bytes.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", pbkdf2Sync(key, salt, ITERATIONS, 32, "sha512"), salt, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return tokenOf(JSON.parse(plain.toString()), nonce);
  } catch {
    return undefined;
  }
};

const tokenOf = (value: unknown, nonce: string): SuperTokensToken | undefined => {
  if (typeof value !== "object" || value === null) return undefined;
  const claims = value as Readonly<Record<string, unknown>>;
  const { sessionHandle, userId, tenantId = "public", parentRefreshTokenHash1, antiCsrfToken } = claims;
  if (typeof sessionHandle !== "string" || typeof userId !== "string" || typeof tenantId !== "string") return undefined;
  if (claims["nonce"] !== nonce || !isOptionalText(parentRefreshTokenHash1) || !isOptionalText(antiCsrfToken))
    return undefined;
  return { sessionHandle, userId, tenantId, parentRefreshTokenHash1, antiCsrfToken };
};

const isOptionalText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

/** Hex SHA-256 of a text: of a token its `hash 1`, of that its `hash 2`, which the core's table holds. */
export const hexHash = (text: string): string => hash("sha256", text, "hex");
