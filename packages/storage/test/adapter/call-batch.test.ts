import { expect, it } from "vitest";
import { CallBatch } from "../../src/adapter/call-batch.js";
import { StorageError } from "../../src/errors.js";

/** A batch whose runs are noted and end when the test says so. */
const gathering = (options: { readonly limit?: number; readonly timeout?: number; readonly weight?: number } = {}) => {
  const runs: { readonly calls: readonly number[]; readonly end: (error?: unknown) => void }[] = [];
  const batch = new CallBatch<number, string>({
    lanes: 2,
    limit: options.limit ?? 100,
    timeout: options.timeout ?? 60_000,
    keyOf: (call) => `key ${call % 10}`,
    weigh: () => options.weight ?? 1,
    run: (calls) =>
      new Promise((resolve, reject) => {
        const end = (error?: unknown): void =>
          error === undefined ? resolve(calls.map((call) => `done ${call}`)) : reject(error);
        runs.push({ calls, end });
      }),
  });
  return { batch, runs, callsOf: () => runs.map(({ calls }) => calls) };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("does the calls of one turn together, and gathers while its lanes are taken", async () => {
  const { batch, runs, callsOf } = gathering();
  const first = [1, 2, 3].map((call) => batch.add(call));
  await turn();
  const second = batch.add(4);
  await turn();
  const third = [5, 6].map((call) => batch.add(call));
  await turn();
  expect(callsOf()).toStrictEqual([[1, 2, 3], [4]]);
  runs[0]!.end();
  expect(await Promise.all(first)).toStrictEqual(["done 1", "done 2", "done 3"]);
  await turn();
  await turn();
  expect(callsOf()).toStrictEqual([[1, 2, 3], [4], [5, 6]]);
  for (const { end } of runs) end();
  expect(await Promise.all([second, ...third])).toStrictEqual(["done 4", "done 5", "done 6"]);
});

it("bounds a batch by number and by weight", async () => {
  for (const options of [{ limit: 2 }, { weight: 100_000 }]) {
    const { batch, runs, callsOf } = gathering(options);
    const calls = [1, 2, 3].map((call) => batch.add(call));
    await turn();
    await turn();
    expect(callsOf()).toStrictEqual([[1, 2], [3]]);
    for (const { end } of runs) end();
    await Promise.all(calls);
  }
});

it("does all again, each for itself, when one call fails a batch", async () => {
  const { batch, runs, callsOf } = gathering();
  const calls = [1, 2, 3].map((call) => batch.add(call));
  await turn();
  const error = new StorageError("invalid_record", "two is taken");
  runs[0]!.end(error);
  await turn();
  expect(callsOf()).toStrictEqual([[1, 2, 3], [1], [2], [3]]);
  for (const { calls: own, end } of runs.slice(1)) end(own[0] === 2 ? error : undefined);
  expect(await Promise.allSettled(calls)).toMatchObject([
    { value: "done 1" },
    { status: "rejected", reason: error },
    { value: "done 3" },
  ]);
});

it("holds up no batch for a call that is being done for itself, nor for another about the same", async () => {
  const { batch, runs, callsOf } = gathering();
  const calls = [1, 2].map((call) => batch.add(call));
  await turn();
  runs[0]!.end(new StorageError("invalid_record", "one is not as it must be"));
  await turn();
  runs[2]!.end();
  await turn();
  const later = [11, 12, 13].map((call) => batch.add(call));
  await turn();
  expect(callsOf()).toStrictEqual([[1, 2], [1], [2], [11], [12, 13]]);
  for (const { end } of runs) end();
  expect(await Promise.all([...calls, ...later])).toHaveLength(5);
  const last = [1, 2].map((call) => batch.add(call));
  await turn();
  expect(callsOf().at(-1)).toStrictEqual([1, 2]);
  runs.at(-1)!.end();
  await Promise.all(last);
});

it("tells everyone of a failure of the server, once", async () => {
  const { batch, runs, callsOf } = gathering();
  const calls = [1, 2].map((call) => batch.add(call));
  await turn();
  const error = new StorageError("unavailable", "gone");
  runs[0]!.end(error);
  expect((await Promise.allSettled(calls)).map((outcome) => "reason" in outcome && outcome.reason)).toStrictEqual([
    error,
    error,
  ]);
  expect(callsOf()).toStrictEqual([[1, 2]]);
});

it("does not begin what its caller has given up", async () => {
  const { batch, callsOf } = gathering({ timeout: 0 });
  await expect(batch.add(1)).rejects.toMatchObject({ code: "unavailable" });
  expect(callsOf()).toStrictEqual([]);
});
