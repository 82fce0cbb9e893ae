import { millis } from "@pawl/storage";
import { expect, it } from "vitest";
import { StoreClock } from "../../src/connection/store-clock.js";

it("moves only as far as an answer proves it wrong", () => {
  const clock = new StoreClock();
  const asked = performance.now();
  const offset = (): number => clock.now() - performance.now();
  clock.observe(millis(1_000_000), { asked, answered: asked + 10 });
  const first = offset();
  expect(Math.abs(first - (1_000_000 - asked))).toBeLessThan(12);
  // A slow answer that the offset may well be right for.
  clock.observe(millis(1_000_500), { asked: asked + 100, answered: asked + 2000 });
  expect(Math.abs(offset() - first)).toBeLessThan(3);
  // One that shows the server's clock was set back by an hour.
  const back = 3_600_000;
  clock.observe(millis(1_002_000 - back), { asked: asked + 2000, answered: asked + 2004 });
  expect(Math.abs(offset() - first + back)).toBeLessThan(12);
});

it("needs no wall clock once it was told", () => {
  const clock = new StoreClock();
  const asked = performance.now();
  clock.observe(millis(5), { asked, answered: asked });
  expect(Math.abs(clock.now() - 5)).toBeLessThan(50);
});
