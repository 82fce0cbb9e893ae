import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from "node:crypto";
import { type MetaRecord, millis, type Storage } from "@pawl/storage";
import { expect, it } from "vitest";
import {
  claimImportedCore,
  createEngine,
  defaultPolicy,
  importedSession,
  listImportedCores,
  type MasterKey,
  removeMasterKey,
  rotateMasterKey,
  systemRandom,
} from "../../src/index.js";
import { sealedWith } from "../../src/keys/master-key.js";
import { DAY, MINUTE, onEveryStore, refreshed, USER } from "../engines.js";
import { masterKeys } from "../token-fixtures.js";

const [ONE, TWO] = masterKeys(1, 2) as [MasterKey, MasterKey];
const { refreshTokenValidity } = defaultPolicy;
const refreshTokenKey = "1000:ab:cd";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A token as a core seals it. */
const tokenOf = (sessionHandle: string, parent?: string): string => {
  const nonce = sha256(randomBytes(16).toString("hex"));
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(refreshTokenKey, iv, 100, 32, "sha512"), iv);
  const parentRefreshTokenHash1 = parent && sha256(parent);
  const claims = JSON.stringify({ sessionHandle, userId: USER, parentRefreshTokenHash1, nonce });
  const sealed = Buffer.concat([iv, cipher.update(claims), cipher.final(), cipher.getAuthTag()]);
  return `${sealed.toString("base64")}.${nonce}.V2`;
};

/** Imports a session whose newest token is this one. */
const importOf = async (storage: Storage, sessionHandle: string, newest: string) => {
  const core = await claimImportedCore({
    storage,
    masterKeys: masterKeys(1),
    refreshTokenValidity,
    refreshTokenKey,
    random: systemRandom,
  });
  const now = storage.now();
  const record = importedSession(
    core,
    {
      sessionHandle,
      tenantId: "public",
      userId: USER,
      refreshTokenHash2: sha256(sha256(newest)),
      payload: "{}",
      data: "{}",
      createdAt: millis(now - DAY),
      expiresAt: millis(now + 50 * DAY),
      usesStaticKey: false,
    },
    { now, policy: defaultPolicy },
  );
  await storage.importSessions([record]);
  return record;
};

onEveryStore("tokens of an imported core", (openStage) => {
  it("are opened under whichever master key seals; the old one stays while it is needed for them", async () => {
    const { storage } = await openStage();
    const old = await createEngine({ storage, masterKeys: masterKeys(1) });
    const token = tokenOf("one");
    await importOf(storage, "one", token);
    const context = { storage, masterKeys: masterKeys(1, 2), random: systemRandom };
    const sealers = async () => (await listImportedCores(storage)).map(({ value }) => sealedWith(value));
    expect(await sealers()).toEqual([ONE.id]);
    const [sealed] = (await listImportedCores(storage)) as [MetaRecord];

    await rotateMasterKey({ ...context, refreshTokenValidity });
    expect(await sealers()).toEqual([TWO.id]);
    // As where a node had imported meanwhile.
    const [resealed] = (await listImportedCores(storage)) as [MetaRecord];
    await storage.replaceMeta(sealed.name, resealed.value, sealed.value);
    await expect(removeMasterKey({ ...context, id: ONE.id, endSessions: true })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("core that was imported") as string,
    });
    await rotateMasterKey({ ...context, refreshTokenValidity });
    expect(await sealers()).toEqual([TWO.id]);
    await removeMasterKey({ ...context, id: ONE.id, endSessions: true });

    // Nothing is said about a session by a node that lacks the key.
    await expect(old.refreshSession({ refreshToken: token })).rejects.toMatchObject({ code: "master_key_missing" });
    const engine = await createEngine({ storage, masterKeys: masterKeys(2) });
    refreshed(await engine.refreshSession({ refreshToken: token }));
    // Another import finds the same core, with the same sessions.
    const again = await claimImportedCore({ ...context, refreshTokenValidity, refreshTokenKey });
    expect(again).toEqual(await claimImportedCore({ ...context, refreshTokenValidity, refreshTokenKey }));
    expect(await sealers()).toEqual([TWO.id]);
    await old.close();
    await engine.close();
  });

  it("come after our own where a client sends several, and hide none", async () => {
    const { storage, clock } = await openStage();
    const engine = await createEngine({ storage, masterKeys: masterKeys(1) });
    const stale = tokenOf("one");
    const newest = tokenOf("one", stale);
    const record = await importOf(storage, "one", newest);
    const explained = await engine.explainSession(record.id);
    expect(explained).toMatchObject({ status: "live", refreshes: 0 });
    expect(explained).not.toHaveProperty("refreshedAt");
    const own = await engine.createSession({ userId: USER });
    clock.advance(5 * MINUTE);
    const both = refreshed(
      await engine.refreshSession({ refreshToken: newest, otherRefreshTokens: [own.refreshToken.token] }),
    );
    expect(both.session.handle).toBe(own.session.handle);
    // The newer of two copies of one session: the older is a stale cookie.
    const copy = await engine.refreshSession({ refreshToken: stale, otherRefreshTokens: [newest] });
    expect(refreshed(copy).session.handle).toBe(record.id);
    const child = await engine.refreshSession({ refreshToken: tokenOf("one", newest) });
    expect(refreshed(child).session.handle).toBe(record.id);
    expect(await engine.refreshSession({ refreshToken: stale })).toMatchObject({ kind: "token_reuse" });
    await engine.close();
  });

  it("of a session that is bound to a device by now end nothing without its proof", async () => {
    const { storage } = await openStage();
    const engine = await createEngine({ storage, masterKeys: masterKeys(1) });
    const stale = tokenOf("one");
    const newest = tokenOf("one", stale);
    const record = await importOf(storage, "one", newest);
    await storage.changeSession(record.id, { bound: "thumbprint" });
    for (const refreshToken of [stale, newest])
      expect(await engine.refreshSession({ refreshToken })).toMatchObject({ kind: "unproven" });
    expect(await engine.getSession(record.id)).toBeDefined();
    await engine.close();
  });
});
