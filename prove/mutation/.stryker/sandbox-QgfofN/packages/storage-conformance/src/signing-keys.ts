import { describe, expect, it } from "vitest";
import { atOnce, openTestStore, type OpenStore, signingKey } from "./store.js";

/** Signing keys, of which two nodes cannot both add the first. */
export const testSigningKeys = (open: OpenStore): void => {
  describe("signing keys", () => {
    it("come back whole, oldest first", async () => {
      const { storage, clock } = await openTestStore(open);
      const old = signingKey(clock, { kid: "s-zz", kind: "static", algorithm: "RS256" });
      clock.advance(1);
      const young = signingKey(clock, { kid: "d-1" });
      expect(await storage.getSigningKeys()).toStrictEqual([]);
      expect(await storage.addSigningKey(young, undefined)).toBe(true);
      expect(await storage.addSigningKey(old, undefined)).toBe(true);
      expect(await storage.getSigningKeys()).toStrictEqual([old, young]);
    });

    it("are added only after the one that was the newest of their algorithm and kind", async () => {
      const { storage, clock } = await openTestStore(open);
      const [first, second, third] = [1, 2, 3].map((number) => {
        clock.advance(1);
        return signingKey(clock, { kid: `d-${number}` });
      });
      expect(await storage.addSigningKey(first!, "d-0")).toBe(false);
      expect(await storage.addSigningKey(first!, undefined)).toBe(true);
      expect(await storage.addSigningKey(second!, undefined)).toBe(false);
      expect(await storage.addSigningKey(second!, "d-1")).toBe(true);
      expect(await storage.addSigningKey(third!, "d-1")).toBe(false);
      expect(await storage.addSigningKey({ ...third!, kid: "d-2" }, "d-2")).toBe(false);
      expect(await storage.addSigningKey({ ...third!, kind: "static" }, undefined)).toBe(true);
      expect(await storage.addSigningKey({ ...third!, kid: "r-3", algorithm: "RS256" }, undefined)).toBe(true);
      expect((await storage.getSigningKeys()).map(({ kid }) => kid)).toStrictEqual(["d-1", "d-2", "d-3", "r-3"]);
    });

    it("have one winner when twenty nodes start at once", async () => {
      const { storage, clock } = await openTestStore(open);
      const added = await atOnce(20, (index) =>
        storage.addSigningKey(signingKey(clock, { kid: `d-${index}` }), undefined),
      );
      expect(added.filter(Boolean)).toHaveLength(1);
      const keys = await storage.getSigningKeys();
      expect(keys.map(({ kid }) => kid)).toStrictEqual([`d-${added.indexOf(true)}`]);
    });

    it("are sealed anew only where they still are as they were", async () => {
      const { storage, clock } = await openTestStore(open);
      const key = signingKey(clock, { kid: "d-1" });
      clock.advance(1);
      const other = signingKey(clock, { kid: "d-2" });
      await storage.addSigningKey(key, undefined);
      await storage.addSigningKey(other, "d-1");
      const { sealedPrivateKey: from } = key;
      expect(await storage.resealSigningKey("d-9", from, "new")).toBe(false);
      expect(await storage.resealSigningKey("D-1", from, "new")).toBe(false);
      expect(await storage.resealSigningKey("d-1", from.toUpperCase(), "new")).toBe(false);
      expect(await storage.getSigningKeys()).toStrictEqual([key, other]);
      expect(await storage.resealSigningKey("d-1", from, "new")).toBe(true);
      expect(await storage.resealSigningKey("d-1", from, "newer")).toBe(false);
      expect(await storage.getSigningKeys()).toStrictEqual([{ ...key, sealedPrivateKey: "new" }, other]);
      // CVE-2026-90997: an equal value counts as written.
      expect(await storage.resealSigningKey("d-1", "new", "new")).toBe(true);
      const resealed = await atOnce(20, (index) => storage.resealSigningKey("d-2", from, `node-${index}`));
      expect(resealed.filter(Boolean)).toHaveLength(1);
      expect((await storage.getSigningKeys())[1]).toMatchObject({
        sealedPrivateKey: `node-${resealed.indexOf(true)}`,
      });
    });

    it("are deleted by name", async () => {
      const { storage, clock } = await openTestStore(open);
      await storage.addSigningKey(signingKey(clock, { kid: "d-1" }), undefined);
      clock.advance(1);
      await storage.addSigningKey(signingKey(clock, { kid: "d-2" }), "d-1");
      await storage.deleteSigningKeys(["d-1", "d-9"]);
      expect((await storage.getSigningKeys()).map(({ kid }) => kid)).toStrictEqual(["d-2"]);
      await storage.deleteSigningKeys([]);
      await storage.deleteSigningKeys(["d-2"]);
      expect(await storage.getSigningKeys()).toStrictEqual([]);
    });
  });
};
