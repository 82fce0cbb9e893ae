import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from "node:crypto";
import { claimImportedCore, defaultPolicy, importedSession, parseMasterKeys, systemRandom } from "@pawl/engine";
import { MemoryStorage, millis } from "@pawl/storage";
import { expect, onTestFinished, test } from "vitest";
import { createPawl } from "../src/index.js";
import { Browser } from "./browser.js";
import { startWebApp } from "./web-app.js";

const masterKey = Buffer.alloc(32, 7).toString("base64");
const refreshTokenKey = "1000:ab:cd";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A refresh token as a SuperTokens core seals it. */
const tokenOf = (sessionHandle: string, userId: string): string => {
  const nonce = sha256("nonce");
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(refreshTokenKey, iv, 100, 32, "sha512"), iv);
  const claims = JSON.stringify({ sessionHandle, userId, nonce });
  const sealed = Buffer.concat([iv, cipher.update(claims), cipher.final(), cipher.getAuthTag()]);
  return `${sealed.toString("base64")}.${nonce}.V2`;
};

test.each([
  ["percent-encoded, as the SuperTokens SDKs write it", encodeURIComponent],
  ["as it is", (token: string): string => token],
])("a session that was imported goes on in process, by the cookie of before: %s", async (_how, written) => {
  const storage = new MemoryStorage();
  onTestFinished(() => storage.close());
  const token = tokenOf("handle", "u1");
  const core = await claimImportedCore({
    storage,
    masterKeys: parseMasterKeys(masterKey),
    refreshTokenValidity: defaultPolicy.refreshTokenValidity,
    refreshTokenKey,
    random: systemRandom,
  });
  const now = storage.now();
  const original = {
    sessionHandle: "handle",
    tenantId: "public",
    userId: "u1",
    refreshTokenHash2: sha256(sha256(token)),
    payload: '{"role":"user"}',
    data: "{}",
    createdAt: now,
    expiresAt: millis(now + 86_400_000),
    usesStaticKey: false,
  };
  await storage.importSessions([importedSession(core, original, { now, policy: defaultPolicy })]);
  const pawl = createPawl({ storage, masterKey, cookies: { domain: "localhost", secure: false, sameSite: "lax" } });
  const app = await startWebApp(pawl);
  onTestFinished(() => app.close());
  const browser = new Browser(app);
  const cookie = `sRefreshToken=${written(token)}`;
  const answer = await browser.send("/session/refresh", { method: "POST", cookie });
  expect(answer.status).toBe(200);
  expect(browser.cookies.get("sRefreshToken")).toMatch(/^pawl_rt_1\./);
  expect((await browser.send("/me")).body).toMatchObject({ userId: "u1" });
});
