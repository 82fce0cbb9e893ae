import { expect, test } from "vitest";
import { readDuration } from "../src/duration.js";

test.each([
  [0, 0],
  [1500, 1500],
  ["0s", 0],
  ["500ms", 500],
  ["90s", 90_000],
  ["15m", 900_000],
  ["12h", 43_200_000],
  ["100d", 8_640_000_000],
  ["2w", 1_209_600_000],
])("%j is %d ms", (value, duration) => expect(readDuration("x", value)).toBe(duration));

test.each([
  -1,
  1.5,
  NaN,
  Infinity,
  "",
  "15",
  "m",
  "1.5h",
  "-1s",
  " 1s",
  "1 s",
  "1H",
  "1s1s",
  "1e3s",
  "999999999999999w",
  {},
  null,
  true,
])("%j is none", (value) => expect(() => readDuration("reuseWindow", value as never)).toThrow(/^reuseWindow must be /));

const circular: { self?: unknown } = {};
circular.self = circular;
test.each([
  [60n, "not 60n"],
  [circular, "not "],
  [Symbol("x"), "not Symbol(x)"],
  [() => 1, "not [Function"],
])("what JSON cannot say is named all the same", (value, named) => {
  expect(() => readDuration("reuseWindow", value as never)).toThrow(`, w), ${named}`);
});
