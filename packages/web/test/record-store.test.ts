import { expect, test, vi } from "vitest";
import { indexedDbStore } from "../src/record-store.js";
import { freshPages, settle } from "./globals.js";

freshPages();

const record = (generation: number) => ({ generation, endedAt: 0 });

test("keeps the record of each key in one step, and leaves it where there is no change", async () => {
  const [store, other] = [indexedDbStore("a"), indexedDbStore("b")];
  expect(await store.update(() => undefined)).toBeUndefined();
  expect(await store.update(() => record(1))).toEqual(record(1));
  expect(await store.update((kept) => (expect(kept).toEqual(record(1)), undefined))).toEqual(record(1));
  expect(await other.update(() => undefined)).toBeUndefined();
  const grow = () => indexedDbStore("a").update((kept) => record(kept!.generation + 1));
  await Promise.all([grow(), grow(), grow()]);
  expect(await store.update(() => undefined)).toEqual(record(4));
  // Nobody is kept from deleting what is kept.
  await new Promise((resolve) => (indexedDB.deleteDatabase("pawl").onsuccess = resolve));
  expect(await store.update(() => undefined)).toBeUndefined();
});

test("a change that fails changes nothing, and fails", async () => {
  const store = indexedDbStore("a");
  await store.update(() => record(1));
  vi.spyOn(console, "error").mockReturnValue();
  const failing = store.update((kept) => ({ ...kept!, generation: (() => 1) as never }));
  await expect(failing).rejects.toThrow();
  expect(await store.update(() => undefined)).toEqual(record(1));
});

test("a database of a later version fails", async () => {
  await new Promise((resolve) => (indexedDB.open("pawl", 2).onsuccess = resolve));
  await expect(indexedDbStore("a").update(() => undefined)).rejects.toMatchObject({
    target: { error: { name: "VersionError" } },
  });
});

test("a browser that does not answer is given up after two seconds", async () => {
  vi.stubGlobal("indexedDB", { open: () => ({}) });
  let isGivenUp = false;
  indexedDbStore("a")
    .update(() => undefined)
    .catch(() => (isGivenUp = true));
  await vi.advanceTimersByTimeAsync(1999);
  await settle();
  expect(isGivenUp).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await settle();
  expect(isGivenUp).toBe(true);
});
