import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync, randomBytes, randomUUID } from "node:crypto";

/**
 * A core that fills its tables and makes its refresh tokens as a SuperTokens core does, by what its published source says:
 * there is none to run here. Written apart from the code that it tests.
 */
export interface SuperTokensCore {
  readonly refreshTokenKey: string;
  /** Logs a user in. */
  create(session: NewSession): MadeSession;
  /** Refreshes by its newest token or one minted from it, which becomes the newest; no other is taken. @returns the child. */
  refresh(token: string): string;
  /** The access token that came with a child is used: the child becomes the newest. */
  use(child: string): void;
}

interface NewSession {
  readonly userId: string;
  readonly tenantId?: string;
  readonly appId?: string;
  readonly payload?: string;
  readonly data?: string;
  readonly antiCsrfToken?: string;
  readonly staticKey?: boolean;
  /** From now on, ms: 100 days unless given. */
  readonly validity?: number;
}

export interface MadeSession {
  readonly handle: string;
  readonly refreshToken: string;
}

interface Claims {
  readonly sessionHandle: string;
  readonly userId: string;
  readonly parentRefreshTokenHash1?: string | undefined;
  readonly nonce: string;
  readonly antiCsrfToken?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** The tables as the plugins of these versions make them: of core 4, 5, 6 to 12.0, and from 12.1 on. */
export type Schema = "core-4" | "core-5" | "core-6" | "core-12.1";

const DAY = 86_400_000;

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @param run executes SQL in the core's database. */
export const createSuperTokensCore = (
  run: (sql: string) => string,
  {
    schema = "core-6",
    now,
    prefix = "",
    withKey = true,
  }: {
    readonly schema?: Schema;
    readonly now: () => number;
    readonly prefix?: string;
    readonly withKey?: boolean;
  },
): SuperTokensCore => {
  const hasTenants = schema === "core-6" || schema === "core-12.1";
  const owner = hasTenants ? "app_id VARCHAR(64) DEFAULT 'public', tenant_id VARCHAR(64) DEFAULT 'public', " : "";
  const key = hasTenants ? "app_id, tenant_id, " : "";
  run(`CREATE TABLE ${prefix}key_value (${owner}name VARCHAR(128), value TEXT, created_at_time BIGINT,
    PRIMARY KEY (${key}name))`);
  run(`CREATE TABLE ${prefix}session_info (${owner}session_handle VARCHAR(255) NOT NULL, user_id VARCHAR(128) NOT NULL,
    refresh_token_hash_2 VARCHAR(128) NOT NULL, session_data TEXT, expires_at BIGINT NOT NULL,
    created_at_time BIGINT NOT NULL, jwt_user_payload TEXT${schema === "core-4" ? "" : ", use_static_key BOOLEAN NOT NULL"}${
      schema === "core-12.1" ? ", prev_refresh_token_hash_2 VARCHAR(128), refresh_token_rotated_at BIGINT" : ""
    }, PRIMARY KEY (${key}session_handle))`);
  const salt = randomBytes(64);
  const derived = pbkdf2Sync(randomBytes(64).toString("hex"), salt, 1000, 64, "sha512");
  const refreshTokenKey = `1000:${salt.toString("hex")}:${derived.toString("hex")}`;
  if (withKey)
    run(
      `INSERT INTO ${prefix}key_value (name, value, created_at_time) VALUES ('refresh_token_key', '${refreshTokenKey}', ${now()})`,
    );

  const seal = (claims: Omit<Claims, "nonce">): string => {
    const nonce = sha256(randomUUID());
    const { sessionHandle, userId, parentRefreshTokenHash1, antiCsrfToken, tenantId } = claims;
    const members = { sessionHandle, userId, parentRefreshTokenHash1, nonce, antiCsrfToken, tenantId };
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(refreshTokenKey, iv, 100, 32, "sha512"), iv);
    const sealed = Buffer.concat([iv, cipher.update(JSON.stringify(members)), cipher.final(), cipher.getAuthTag()]);
    return `${sealed.toString("base64")}.${nonce}.V2`;
  };
  const open = (token: string): Claims => {
    const bytes = Buffer.from(token.split(".")[0] ?? "", "base64");
    const iv = bytes.subarray(0, 12);
    const decipher = createDecipheriv("aes-256-gcm", pbkdf2Sync(refreshTokenKey, iv, 100, 32, "sha512"), iv);
    decipher.setAuthTag(bytes.subarray(-16));
    return JSON.parse(decipher.update(bytes.subarray(12, -16)).toString() + decipher.final().toString()) as Claims;
  };
  const newest = (handle: string): string =>
    run(`SELECT refresh_token_hash_2 FROM ${prefix}session_info WHERE session_handle = '${handle}'`);
  const promote = (handle: string, token: string): string =>
    run(`UPDATE ${prefix}session_info SET refresh_token_hash_2 = '${sha256(sha256(token))}',
      expires_at = ${now() + 100 * DAY} WHERE session_handle = '${handle}'`);

  return {
    refreshTokenKey,

    create({ userId, tenantId = "public", appId = "public", payload = "{}", data = "{}", antiCsrfToken, ...more }) {
      const { staticKey = false, validity = 100 * DAY } = more;
      const handle = randomUUID() + (tenantId === "public" ? "" : `_${tenantId}`);
      const refreshToken = seal({
        sessionHandle: handle,
        userId,
        antiCsrfToken,
        tenantId: tenantId === "public" ? undefined : tenantId,
      });
      const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
      run(`INSERT INTO ${prefix}session_info (${key}session_handle, user_id, refresh_token_hash_2, session_data, expires_at,
        created_at_time, jwt_user_payload${schema === "core-4" ? "" : ", use_static_key"}) VALUES (${
          hasTenants ? `'${appId}', '${tenantId}', ` : ""
        }'${handle}', ${text(userId)}, '${sha256(sha256(refreshToken))}', ${text(data)}, ${now() + validity}, ${now()},
        ${text(payload)}${schema === "core-4" ? "" : `, ${staticKey}`})`);
      return { handle, refreshToken };
    },

    refresh(token) {
      const { sessionHandle, userId, parentRefreshTokenHash1 = "", tenantId, antiCsrfToken } = open(token);
      const current = newest(sessionHandle);
      if (current !== sha256(sha256(token))) {
        if (current !== sha256(parentRefreshTokenHash1)) throw new Error("TOKEN_THEFT_DETECTED");
        promote(sessionHandle, token);
      }
      return seal({ sessionHandle, userId, parentRefreshTokenHash1: sha256(token), tenantId, antiCsrfToken });
    },

    use(child) {
      const { sessionHandle, parentRefreshTokenHash1 = "" } = open(child);
      if (newest(sessionHandle) === sha256(parentRefreshTokenHash1)) promote(sessionHandle, child);
    },
  };
};
