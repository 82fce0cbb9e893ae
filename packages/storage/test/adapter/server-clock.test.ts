import { expect, it } from "vitest";
import { ServerClock } from "../../src/adapter/server-clock.js";
import { millis } from "../../src/identifiers.js";

it("moves only as far as an answer proves it wrong", () => {
  const clock = new ServerClock(undefined);
  const sent = performance.now();
  const offset = (): number => clock.now() - performance.now();
  clock.note(millis(1_000_000), sent, sent + 10);
  const first = offset();
  expect(Math.abs(first - (1_000_000 - sent))).toBeLessThan(12);
  // A slow answer that the offset may well be right for.
  clock.note(millis(1_000_500), sent + 100, sent + 2000);
  expect(Math.abs(offset() - first)).toBeLessThan(3);
  // One that shows the server's clock was set back by an hour.
  const back = 3_600_000;
  clock.note(millis(1_002_000 - back), sent + 2000, sent + 2004);
  expect(Math.abs(offset() - first + back)).toBeLessThan(12);
});

it("needs no wall clock once it was told", () => {
  const clock = new ServerClock(undefined);
  const sent = performance.now();
  clock.note(millis(5), sent, sent);
  expect(Math.abs(clock.now() - 5)).toBeLessThan(50);
});
