import { MemoryStorage, millis } from "@pawl/storage";
import { expect, it } from "vitest";
import { createEngine, listMasterKeys, type MasterKey, removeMasterKey, rotateMasterKey } from "../../src/index.js";
import { sealedWith } from "../../src/keys/master-key.js";
import { systemRandom } from "../../src/random.js";
import { DAY, HOUR, onEveryStore, refresh, refreshed, StandingClock, USER } from "../engines.js";
import { masterKeys } from "../token-fixtures.js";

const [ONE, TWO] = masterKeys(1, 2) as [MasterKey, MasterKey];
const validity = { random: systemRandom, refreshTokenValidity: millis(100 * DAY) };

onEveryStore("a master key rotation", (openStage) => {
  /** Two nodes, each with the key file that `files` holds for it. */
  const twoNodes = async () => {
    const { storage, clock } = await openStage();
    const files = [masterKeys(1), masterKeys(1)];
    const node = (index: number) =>
      createEngine({ storage, masterKeys: files[index] ?? [], readMasterKeys: async () => files[index] ?? [] });
    const nodes = [await node(0), await node(1)] as const;
    return { storage, clock, files, nodes };
  };
  const sealing = (session: { readonly refreshToken: { readonly token: string } }): number | undefined =>
    sealedWith(session.refreshToken.token.slice("pawl_rt_1.".length));

  it("is followed by nodes that run; what was made before, during and after goes on", async () => {
    const { storage, clock, files, nodes } = await twoNodes();
    const [first, second] = nodes;
    await first.publishedSigningKeys("RS256", "static");
    const before = await first.createSession({ userId: USER });
    files[0] = masterKeys(1, 2);
    files[1] = masterKeys(2, 1);
    for (const engine of nodes) await engine.maintainMasterKeys();
    const during = await second.createSession({ userId: USER });
    expect(sealing(during)).toBe(ONE.id);

    const done = await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
    expect(done).toEqual({ from: ONE.id, to: TWO.id, resealed: [expect.any(String), expect.any(String)] });
    for (const key of await storage.getSigningKeys()) expect(sealedWith(key.sealedPrivateKey)).toBe(TWO.id);
    const unheard = await first.createSession({ userId: USER });
    expect(sealing(unheard)).toBe(ONE.id);
    await first.maintainMasterKeys();
    const after = await first.createSession({ userId: USER });
    expect(sealing(after)).toBe(TWO.id);

    clock.advance(HOUR);
    for (const session of [before, during, unheard, after])
      for (const engine of nodes) {
        const turned = refreshed(await refresh(engine, session));
        await engine.maintainMasterKeys();
        await engine.maintainSigningKeys();
        expect(sealing(refreshed(await refresh(nodes[0], turned)))).toBe(TWO.id);
      }
    expect(await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity })).toEqual({
      from: TWO.id,
      to: TWO.id,
      resealed: [],
    });
  });

  it("meets a node that has the new key in its file and has not read it yet: it reads it then", async () => {
    const { storage, files, nodes } = await twoNodes();
    files[0] = masterKeys(1, 2);
    files[1] = masterKeys(1, 2);
    await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
    await nodes[0].maintainMasterKeys();
    const session = await nodes[0].createSession({ userId: USER });
    refreshed(await refresh(nodes[1], session));
    await nodes[0].rotateSigningKey();
    await nodes[1].maintainSigningKeys();
    expect(nodes[1].listSigningKeys()).toHaveLength(2);
  });

  it("is no answer about a session on a node that was forgotten", async () => {
    const { storage, files, nodes } = await twoNodes();
    files[0] = masterKeys(1, 2);
    await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
    await nodes[0].maintainMasterKeys();
    const session = await nodes[0].createSession({ userId: USER });
    await expect(refresh(nodes[1], session)).rejects.toMatchObject({ code: "master_key_missing" });
    await expect(nodes[1].maintainMasterKeys()).rejects.toMatchObject({
      message: expect.stringContaining(`master key ${TWO.id} was not given, and the store seals with it`),
    });
    const own = await nodes[1].createSession({ userId: USER });
    refreshed(await refresh(nodes[0], own));
    files[1] = masterKeys(2, 1);
    refreshed(await refresh(nodes[1], session));
    // What no key of the store sealed is none of ours, and stays so.
    const [strange] = masterKeys(9) as [MasterKey];
    const forged = `pawl_rt_1.${Buffer.concat([Buffer.of(strange.id), Buffer.alloc(105)]).toString("base64url")}`;
    expect(await nodes[1].refreshSession({ refreshToken: forged })).toMatchObject({ why: "invalid_token" });
  });

  it("seals anew what a node that had not heard of it has added since", async () => {
    const { storage, files, nodes } = await twoNodes();
    for (const index of [0, 1]) files[index] = masterKeys(1, 2);
    await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
    await nodes[0].publishedSigningKeys("RS256", "static");
    const listed = async (id: number) =>
      (await listMasterKeys({ storage, masterKeys: masterKeys(1, 2) })).find((key) => key.id === id);
    expect(await listed(ONE.id)).toMatchObject({ state: "opening", signingKeys: [expect.any(String)] });
    await expect(
      removeMasterKey({ storage, masterKeys: masterKeys(1, 2), id: ONE.id, endSessions: true }),
    ).rejects.toThrow(/still seals signing keys/);
    await nodes[1].maintainMasterKeys();
    await nodes[1].maintainSigningKeys();
    expect(await listed(ONE.id)).toMatchObject({ signingKeys: [] });
    expect(await listed(TWO.id)).toMatchObject({ state: "sealing", signingKeys: { length: 2 } });
  });

  it("lets the old key go once no session needs it, and no earlier", async () => {
    const { storage, clock, files, nodes } = await twoNodes();
    for (const index of [0, 1]) files[index] = masterKeys(1, 2);
    const old = await nodes[0].createSession({ userId: USER });
    const context = { storage, masterKeys: masterKeys(1, 2) };
    await rotateMasterKey({ ...context, ...validity });
    for (const engine of nodes) await engine.maintainMasterKeys();
    await expect(removeMasterKey({ ...context, id: TWO.id })).rejects.toThrow(/the one that seals/);
    await expect(removeMasterKey({ ...context, id: ONE.id })).rejects.toThrow(/is needed until 20/);
    // Taken out of a file by mistake: the node goes on with what it has, and a start says what is missing.
    files[0] = masterKeys(2);
    await expect(nodes[0].maintainMasterKeys()).rejects.toMatchObject({ code: "master_key_missing" });
    const turned = refreshed(await refresh(nodes[0], old));
    await expect(createEngine({ storage, masterKeys: masterKeys(2) })).rejects.toThrow(/sessions need it until 20/);
    clock.advance(99 * DAY);
    await expect(removeMasterKey({ ...context, id: ONE.id })).rejects.toThrow(/is needed until/);
    clock.advance(2 * DAY);
    await removeMasterKey({ ...context, id: ONE.id });
    await removeMasterKey({ ...context, id: ONE.id });
    await expect(rotateMasterKey({ ...context, ...validity, to: ONE.id })).rejects.toThrow(/removed for good/);
    const last = await createEngine({ storage, masterKeys: masterKeys(2) });
    expect(await refresh(last, turned)).toMatchObject({ kind: "unauthorised" });
    const { items } = await storage.listEvents({ types: ["admin"] }, { limit: 10 });
    expect(items.map(({ detail }) => JSON.parse(detail ?? "") as object)).toEqual(
      expect.arrayContaining([
        { act: "master_key_rotated", from: ONE.id, to: TWO.id },
        { act: "master_key_removed", id: ONE.id, endSessions: false },
      ]),
    );
  });

  it("takes a key that leaked out of use at once where an operator says so", async () => {
    const { storage, files, nodes } = await twoNodes();
    for (const index of [0, 1]) files[index] = masterKeys(1, 2);
    const leaked = await nodes[0].createSession({ userId: USER });
    await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
    await removeMasterKey({ storage, masterKeys: masterKeys(1, 2), id: ONE.id, endSessions: true });
    for (const engine of nodes) {
      await engine.maintainMasterKeys();
      expect(await refresh(engine, leaked)).toMatchObject({ kind: "unauthorised", why: "invalid_token" });
    }
    await createEngine({ storage, masterKeys: masterKeys(2) });
  });

  it("can be turned back, and asks which key is meant where several are new", async () => {
    const { storage } = await twoNodes();
    const context = { storage, masterKeys: masterKeys(1, 2, 3), ...validity };
    await expect(rotateMasterKey(context)).rejects.toThrow(/several master keys are new/);
    expect(await rotateMasterKey({ ...context, to: TWO.id })).toMatchObject({ to: TWO.id });
    expect(await rotateMasterKey({ ...context, to: ONE.id })).toMatchObject({ from: TWO.id, to: ONE.id });
    await expect(rotateMasterKey({ ...context, to: 0 })).rejects.toMatchObject({ code: "invalid_input" });
    await expect(rotateMasterKey({ ...context, masterKeys: masterKeys(7) })).rejects.toMatchObject({
      code: "master_key_wrong",
    });
  });

  it("may stop after any write: the next call does what is left", async () => {
    const { storage } = await openStage();
    const engine = await createEngine({ storage, masterKeys: masterKeys(1) });
    await engine.publishedSigningKeys("RS256", "static");
    const writes = new Set(["claimMeta", "replaceMeta", "appendEvents", "resealSigningKey"]);
    for (let allowed = 0; ; allowed += 1) {
      let left = allowed;
      const stopping = new Proxy(storage, {
        get(target, name: keyof typeof storage) {
          const method = target[name] as (...input: readonly unknown[]) => unknown;
          return (...input: readonly unknown[]) => {
            if (writes.has(String(name)) && left-- === 0) throw new Error("stopped");
            return method.apply(target, [...input]);
          };
        },
      });
      const done = await rotateMasterKey({ storage: stopping, masterKeys: masterKeys(1, 2), ...validity }).catch(
        (error: Error) => error.message,
      );
      const session = await engine.createSession({ userId: USER });
      refreshed(await refresh(engine, session));
      if (done !== "stopped") break;
    }
    const keys = await listMasterKeys({ storage, masterKeys: masterKeys(1, 2) });
    expect(keys.find(({ id }) => id === TWO.id)).toMatchObject({ state: "sealing", signingKeys: { length: 2 } });
  });
});

it("has no two keys of one id in the life of a store", async () => {
  const storage = new MemoryStorage({ clock: new StandingClock() });
  await createEngine({ storage, masterKeys: masterKeys(1) });
  const twin = Array.from({ length: 2000 }, (_, index) => Buffer.alloc(32, `twin ${index}`).toString("base64"));
  const { parseMasterKeys } = await import("../../src/index.js");
  const clash = twin.map((text) => parseMasterKeys(text)[0]).find((key) => key?.id === TWO.id) as MasterKey;
  await rotateMasterKey({ storage, masterKeys: masterKeys(1, 2), ...validity });
  await expect(createEngine({ storage, masterKeys: [ONE, clash] })).rejects.toMatchObject({
    code: "master_key_invalid",
  });
});
