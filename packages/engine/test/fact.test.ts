import { MemoryStorage, millis, type Storage, type TenantId } from "@pawl/storage";
import { expect, it } from "vitest";
import { addMasterKeyNeeds } from "../src/index.js";
import { createTenants } from "../src/sessions/tenants.js";
import { intercepted } from "./intercepted-storage.js";
import { StandingClock } from "./standing-clock.js";

const writers: readonly (readonly [string, (storage: Storage) => Promise<unknown>])[] = [
  [
    "the time until which a master key is needed",
    (storage) => addMasterKeyNeeds(storage, [{ id: 7, check: "x", neededUntil: millis(1_000_000) }]),
  ],
  ["a tenant", (storage) => createTenants({ storage, endSessions: async () => [] }).put("acme" as TenantId, { a: 1 })],
];

it.each(writers)("writing %s gives up where somebody else always wins", async (_name, write) => {
  const store = new MemoryStorage({ clock: new StandingClock() });
  await store.claimMeta("master_key_needed_until_7", "5");
  let attempts = 0;
  const storage = intercepted(store, async ({ method, proceed }) => {
    if (method !== "replaceMeta") return proceed();
    if (++attempts > 1000) throw new Error("it goes on for ever");
    return false;
  });
  await expect(write(storage)).rejects.toMatchObject({ name: "StorageError", code: "unavailable" });
  expect(attempts).toBeLessThan(100);
});
