import { type CountRecord, type CountSelector, millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { atOnce, openTestStore, type OpenStore, type TestStore } from "./store.js";

const hour = 3_600_000;
/** The beginning of an hour. */
const start = 500_000 * hour;

const count = (hours: number, name: string, amount = 1): CountRecord => ({
  hour: millis(start + hours * hour),
  name,
  count: amount,
});

const always: CountSelector = { from: millis(0), to: millis(start + 1000 * hour) };

const readCounts = async ({ storage }: TestStore, selector: CountSelector, limit = 100) => {
  const counts: CountRecord[] = [];
  let after: string | undefined;
  do {
    const page = await storage.listCounts(selector, { limit, after });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    counts.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return counts;
};

/** Names as they stand in the order of bytes, which neither UTF-16 nor a language gives. */
const names = [
  "",
  " ",
  "%",
  "'; DROP TABLE counts; --",
  ".",
  "1.2",
  "A",
  "B",
  "\\",
  "_",
  "a",
  "a\u0301",
  "b",
  "x".repeat(128),
  "é".repeat(64),
  "\u{FF41}",
  "\u{1F512}",
];

/** Counts per hour. */
export const testCounts = (open: OpenStore): void => {
  describe("counts", () => {
    it("are added to what is there, also within a call and by twenty at once", async () => {
      const store = await openTestStore(open);
      await store.storage.addCounts([]);
      await store.storage.addCounts([count(0, "refresh", 3), count(0, "login"), count(0, "refresh", 4)]);
      await store.storage.addCounts([count(1, "refresh", 5)]);
      await atOnce(20, (index) =>
        store.storage.addCounts(
          index % 2 === 0 ? [count(0, "refresh"), count(0, "theft", 2)] : [count(0, "theft", 2), count(0, "refresh")],
        ),
      );
      expect(await readCounts(store, always)).toStrictEqual([
        count(0, "login"),
        count(0, "refresh", 27),
        count(0, "theft", 40),
        count(1, "refresh", 5),
      ]);
    });

    it("hold numbers beyond 32 bits", async () => {
      const store = await openTestStore(open);
      await store.storage.addCounts([count(0, "many", 2 ** 40)]);
      await store.storage.addCounts([count(0, "many", 2 ** 40 + 1)]);
      expect(await readCounts(store, always)).toStrictEqual([count(0, "many", 2 ** 41 + 1)]);
    });

    it("come by hour, then by name in the order of bytes, in pages of any size", async () => {
      const store = await openTestStore(open);
      const counts = [0, 1, 5].flatMap((hours) => names.map((name, index) => count(hours, name, index + 1)));
      await store.storage.addCounts(counts.toReversed());
      for (const limit of [1, 2, 7, counts.length - 1, counts.length, counts.length + 1])
        expect(await readCounts(store, always, limit), `limit ${limit}`).toStrictEqual(counts);
    });

    it("are selected from an hour on and before another", async () => {
      const store = await openTestStore(open);
      const counts = [0, 1, 2, 3].flatMap((hours) => [count(hours, "a"), count(hours, "b")]);
      await store.storage.addCounts(counts);
      const ranges = [
        [0, 4],
        [1, 3],
        [1.5, 2.5],
        [2, 2],
        [3, 1],
        [4, 9],
      ] as const;
      for (const [from, to] of ranges) {
        const selector = { from: millis(start + from * hour), to: millis(start + to * hour) };
        const expected = counts.filter((each) => selector.from <= each.hour && each.hour < selector.to);
        expect(await readCounts(store, selector, 3), `${from} to ${to}`).toStrictEqual(expected);
      }
    });

    it("go on after one that is gone", async () => {
      const store = await openTestStore(open);
      await store.storage.addCounts([count(0, "a"), count(0, "b"), count(1, "a")]);
      const { next } = await store.storage.listCounts(always, { limit: 1 });
      await store.storage.deleteCounts(millis(start + hour), 1);
      await store.storage.deleteCounts(millis(start + hour), 1);
      expect(await store.storage.listCounts(always, { limit: 5, after: next })).toStrictEqual({
        items: [count(1, "a")],
      });
    });

    it("are deleted before an hour, at most so many", async () => {
      const store = await openTestStore(open);
      const counts = [0, 1, 2].flatMap((hours) => ["a", "b", "c"].map((name) => count(hours, name)));
      await store.storage.addCounts(counts);
      const before = millis(start + 2 * hour);
      expect(await store.storage.deleteCounts(before, 4)).toBe(4);
      expect(await store.storage.deleteCounts(before, 4)).toBe(2);
      expect(await store.storage.deleteCounts(before, 4)).toBe(0);
      expect(await readCounts(store, always)).toStrictEqual(counts.slice(6));
    });

    it("are refused, all of a call, where one cannot be counted", async () => {
      const store = await openTestStore(open);
      const wrong = [
        { ...count(0, "a"), hour: millis(start + 1) },
        { ...count(0, "a"), hour: millis(Number.NaN) },
        count(0, "x".repeat(129)),
        count(0, "é".repeat(65)),
        count(0, "a", 0),
        count(0, "a", -1),
        count(0, "a", 0.5),
      ];
      for (const each of wrong)
        await expect(store.storage.addCounts([count(0, "right"), each])).rejects.toMatchObject({
          code: "invalid_record",
        });
      expect(await readCounts(store, always)).toStrictEqual([]);
    });

    it("refuse a page that starts nowhere", async () => {
      const { storage } = await openTestStore(open);
      for (const after of ["", "x", "1", "1'; --", "\u{1F512}"])
        await expect(storage.listCounts(always, { limit: 1, after })).rejects.toMatchObject({ code: "invalid_record" });
    });
  });
};
