import { PUBLIC_TENANT, type UserId } from "@pawl/storage";
import { sessionRecord } from "@pawl/storage-conformance";
import { expect, it, vi } from "vitest";
import { openForTest, sharedServer } from "./server.js";

const { urlOf } = sharedServer({ appendonly: "no" });

it("redis-py, March 2023: answers no call with what another asked, though many are given up", async () => {
  const url = urlOf("aborts", "&durability=none");
  const patient = await openForTest(url);
  await patient.migrate();
  const records = Array.from({ length: 200 }, (_, index) =>
    sessionRecord(patient, { tenantId: PUBLIC_TENANT, userId: `user-${index}` as UserId }),
  );
  await patient.importSessions(records);
  // The time-out ends about when the answers come.
  const hasty = await vi.waitFor(() => openForTest(`${url}&timeout=2`), { timeout: 20_000, interval: 5 });
  let [answered, aborted] = [0, 0];
  const lane = async (start: number): Promise<void> => {
    for (let round = start; aborted < 500 || answered < 500; round += 7) {
      const { id } = records[round % records.length]!;
      try {
        expect((await hasty.getSession(id))?.id).toBe(id);
        answered += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: "unavailable" });
        aborted += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 100 }, (_, index) => lane(index)));
  // What was given up has been answered by now, and shifted nothing.
  for (const record of records) expect(await patient.getSession(record.id)).toStrictEqual(record);
});
