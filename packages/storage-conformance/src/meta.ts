import { describe, expect, it } from "vitest";
import { atOnce, openTestStore, type OpenStore } from "./store.js";

/** `claimMeta`: facts that are written once. */
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
};
