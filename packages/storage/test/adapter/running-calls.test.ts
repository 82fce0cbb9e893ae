import { expect, it } from "vitest";
import { RunningCalls } from "../../src/adapter/running-calls.js";

/** A call whose end the test decides on. */
const pending = () => {
  let end: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const work = (): Promise<string> =>
    new Promise((resolve, reject) => {
      end = () => resolve("done");
      fail = reject;
    });
  return { work, end: () => end(), fail: (error: Error) => fail(error) };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("waits for every call that is under way, also for one that fails", async () => {
  const calls = new RunningCalls();
  const [one, other] = [pending(), pending()];
  const answers = Promise.allSettled([calls.run(one.work), calls.run(other.work)]);
  let waited = 0;
  const waiting = [calls.ended(), calls.ended()].map((ended) => ended.then(() => (waited += 1)));
  one.end();
  await turn();
  expect(waited).toBe(0);
  other.fail(new Error("lost"));
  await Promise.all(waiting);
  expect(waited).toBe(2);
  expect((await answers).map(({ status }) => status)).toStrictEqual(["fulfilled", "rejected"]);
});

it("waits for nothing where nothing is under way, and again for what comes later", async () => {
  const calls = new RunningCalls();
  await calls.ended();
  await expect(
    calls.run(() => {
      throw new Error("at once");
    }),
  ).rejects.toThrow("at once");
  await calls.ended();
  const one = pending();
  const answer = calls.run(one.work);
  let isOver = false;
  const over = calls.ended().then(() => (isOver = true));
  await turn();
  expect(isOver).toBe(false);
  one.end();
  await over;
  expect(await answer).toBe("done");
});
