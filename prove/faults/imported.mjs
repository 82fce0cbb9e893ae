// Sessions of another core, and the tokens it handed out, as `operations.mjs` has them.
import { createCipheriv, createHash, pbkdf2Sync } from "node:crypto";
import { claimImportedCore, importedSession, parseMasterKeys } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { alice, DAY, equal, refresh } from "./client.mjs";
import { masterKeys } from "./stage.mjs";

/**
 * @typedef {import("./stage.mjs").Stage} Stage
 * @typedef {import("./client.mjs").Issued} Issued
 */

const refreshTokenKey = "1000:ab:cd";
const sessionHandle = "6e2c0f4e-3c4f-4a0e-8d0f-7d5c2a9b1e3f";
const random = { bytes: (/** @type {number} */ size) => Buffer.alloc(size, 9) };
const sha256 = (/** @type {string} */ text) => createHash("sha256").update(text).digest("hex");

/** A token of that core: for the same number the same one. @param {number} number @param {string} [parent] */
const tokenOf = (number, parent) => {
  const nonce = sha256(`${number}`);
  const parentRefreshTokenHash1 = parent === undefined ? undefined : sha256(parent);
  const iv = Buffer.alloc(12, number);
  const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(refreshTokenKey, iv, 100, 32, "sha512"), iv);
  const claims = JSON.stringify({ sessionHandle, userId: alice, parentRefreshTokenHash1, nonce });
  return `${Buffer.concat([iv, cipher.update(claims), cipher.final(), cipher.getAuthTag()]).toString("base64")}.${nonce}.V2`;
};

const old = tokenOf(1);
const newest = tokenOf(2, old);
const child = tokenOf(3, newest);

/** The session comes over; the client holds a token of before. @returns {(stage: Stage) => Promise<Issued>} */
const imported = (/** @type {string} */ token) => async (stage) => {
  const now = stage.real.now();
  const core = await claimImportedCore({
    storage: stage.real,
    masterKeys: parseMasterKeys(masterKeys[0]),
    refreshTokenValidity: stage.engine.policy.refreshTokenValidity,
    refreshTokenKey,
    random,
  });
  const original = {
    sessionHandle,
    tenantId: "public",
    userId: alice,
    refreshTokenHash2: sha256(sha256(newest)),
    payload: "{}",
    data: "{}",
    createdAt: now,
    expiresAt: millis(now + 50 * DAY),
    usesStaticKey: false,
  };
  await stage.real.importSessions([importedSession(core, original, { now, policy: stage.engine.policy })]);
  return /** @type {Issued} */ ({ refreshToken: { token } });
};

export const byNewestToken = imported(newest);
export const byItsChild = imported(child);

/** @type {Record<string, import("./operations.mjs").Operation<Issued>>} */
export const importedThefts = {
  "refresh, imported, by a token that its core had replaced": {
    isTheft: true,
    prepare: imported(old),
    act: refresh,
    answers: ["token_reuse"],
    async after(stage, held) {
      const { kind } = await refresh(stage, held);
      if (kind !== "token_reuse" && kind !== "unauthorised") throw new Error(`the thief is answered ${kind}`);
      equal((await stage.events("token_reuse")).length, 1, "alarms");
      equal(await stage.live(), 0, "live sessions");
    },
  },
};
