import { expect, it } from "vitest";
import { nextFlight, singleFlight } from "../src/single-flight.js";

/** A task whose runs the test ends one by one. */
const task = () => {
  const runs: { readonly of: string; readonly end: (outcome: string) => void; readonly fail: () => void }[] = [];
  const run = (of = ""): Promise<string> =>
    new Promise((resolve, reject) => runs.push({ of, end: resolve, fail: () => reject(new Error(of)) }));
  return { run, runs };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("a single flight is shared while it runs, by the same arguments alone, and not afterwards", async () => {
  const { run, runs } = task();
  const flight = singleFlight(run);
  const [first, same, other] = [flight("a"), flight("a"), flight("b")];
  expect(runs.map(({ of }) => of)).toEqual(["a", "b"]);
  runs[0]!.end("done");
  expect(await Promise.all([first, same])).toEqual(["done", "done"]);
  runs[1]!.fail();
  await expect(other).rejects.toThrow("b");
  void flight("a");
  void flight("b");
  expect(runs.map(({ of }) => of)).toEqual(["a", "b", "a", "b"]);
});

it("a next flight begins after the call, whatever becomes of the one before, and is shared by all that wait", async () => {
  const { run, runs } = task();
  const flight = nextFlight(run);
  const first = flight();
  expect(flight()).toBe(first);
  await turn();
  const [second, third] = [flight(), flight()];
  await turn();
  expect(runs).toHaveLength(1);
  runs[0]!.fail();
  await expect(first).rejects.toThrow();
  await turn();
  expect(runs).toHaveLength(2);
  runs[1]!.end("done");
  expect(await Promise.all([second, third])).toEqual(["done", "done"]);
});

it("a next flight is shared by those that come while it gathers", async () => {
  const { run, runs } = task();
  const flight = nextFlight(run, turn);
  const first = flight();
  await Promise.resolve();
  expect(flight()).toBe(first);
  await turn();
  expect(runs).toHaveLength(1);
});
