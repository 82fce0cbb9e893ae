import { describe, expect, it } from "vitest";
import { atOnce, openTestStore, type OpenStore } from "./store.js";

/** `claimMeta`: facts that are written once; `replaceMeta` and `listMeta`. */
export const testMeta = (open: OpenStore): void => {
  describe("claimMeta", () => {
    it("keeps the first value", async () => {
      const { storage } = await openTestStore(open);
      expect(await storage.claimMeta("key_check")).toBeUndefined();
      expect(await storage.claimMeta("key_check", "one")).toBe("one");
      expect(await storage.claimMeta("key_check", "two")).toBe("one");
      expect(await storage.claimMeta("key_check")).toBe("one");
      expect(await storage.claimMeta("Key_Check")).toBeUndefined();
      expect(await storage.claimMeta("empty", "")).toBe("");
      expect(await storage.claimMeta("empty", "more")).toBe("");
    });

    it("gives twenty claimants the same value", async () => {
      const { storage } = await openTestStore(open);
      const values = await atOnce(20, (index) => storage.claimMeta("owner", `node-${index}`));
      expect(new Set(values).size).toBe(1);
      expect(await storage.claimMeta("owner")).toBe(values[0]);
    });
  });

  describe("replaceMeta", () => {
    it("replaces the value that is expected, and no other", async () => {
      const { storage } = await openTestStore(open);
      expect(await storage.replaceMeta("state", "one", "two")).toBe(false);
      expect(await storage.claimMeta("state")).toBeUndefined();
      await storage.claimMeta("state", "one");
      await storage.claimMeta("State", "one");
      for (const other of ["two", "One", "one ", ""])
        expect(await storage.replaceMeta("state", other, "two")).toBe(false);
      expect(await storage.replaceMeta("state", "one", "two")).toBe(true);
      expect(await storage.claimMeta("state")).toBe("two");
      expect(await storage.claimMeta("State")).toBe("one");
      expect(await storage.replaceMeta("state", "two", "")).toBe(true);
      expect(await storage.replaceMeta("state", "", "three")).toBe(true);
      expect(await storage.claimMeta("state", "four")).toBe("three");
    });

    it("CVE-2026-90997: counts an equal value as written", async () => {
      const { storage } = await openTestStore(open);
      await storage.claimMeta("state", "one");
      expect(await storage.replaceMeta("state", "one", "one")).toBe(true);
    });

    it("has one winner of twenty", async () => {
      const { storage } = await openTestStore(open);
      await storage.claimMeta("state", "one");
      const replaced = await atOnce(20, (index) => storage.replaceMeta("state", "one", `node-${index}`));
      expect(replaced.filter(Boolean)).toHaveLength(1);
      expect(await storage.claimMeta("state")).toBe(`node-${replaced.indexOf(true)}`);
    });
  });

  describe("listMeta", () => {
    it("lists the facts of a prefix by name, in pages", async () => {
      const { storage } = await openTestStore(open);
      for (const name of ["tenant:b", "tenant", "tenant:c", "tenant:a", "tenant:B", "Tenant:d", "tenanu", "tenan%:a"])
        await storage.claimMeta(name, `value of ${name}`);
      const named = (...names: readonly string[]): object[] =>
        names.map((name) => ({ name, value: `value of ${name}` }));
      const all = named("tenant:B", "tenant:a", "tenant:b", "tenant:c");
      expect(await storage.listMeta("tenant:", { limit: 4 })).toStrictEqual({ items: all });
      const first = await storage.listMeta("tenant:", { limit: 3 });
      expect(first).toStrictEqual({ items: all.slice(0, 3), next: expect.any(String) });
      const rest = await storage.listMeta("tenant:", { limit: 3, after: first.next! });
      expect(rest).toStrictEqual({ items: all.slice(3) });
      expect(await storage.listMeta("tenant:a", { limit: 9 })).toStrictEqual({ items: named("tenant:a") });
      for (const prefix of ["tenant_", "tenan%", "t%"])
        expect((await storage.listMeta(prefix, { limit: 9 })).items).toStrictEqual(
          prefix === "tenan%" ? named("tenan%:a") : [],
        );
    });
  });
};
