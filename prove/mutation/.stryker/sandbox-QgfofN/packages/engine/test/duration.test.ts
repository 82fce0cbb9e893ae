import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../src/duration.js";

test("each unit counts as many milliseconds as it should", () => {
  expect(["1ms", "1s", "1m", "1h", "1d", "1w", "0s", "030m"].map(parseDuration)).toEqual([
    1, 1000, 60_000, 3_600_000, 86_400_000, 604_800_000, 0, 1_800_000,
  ]);
});

test("what is no duration is not read", () => {
  for (const text of [
    "",
    "m",
    "30",
    "30 m",
    "-1s",
    "+1s",
    "1.5h",
    "1e3s",
    "1H",
    "1h30m",
    " 1s",
    "1s\n",
    "NaNs",
    "Infinityms",
    "١s",
  ])
    expect(parseDuration(text), text).toBeUndefined();
});

test("a duration that cannot be counted exactly is not read", () => {
  expect(parseDuration("9007199254740ms")).toBe(9_007_199_254_740);
  expect(parseDuration("999999999999999w")).toBeUndefined();
  expect(parseDuration("1000000000000000ms")).toBeUndefined();
});

test("a written duration reads as the same duration", () => {
  assert(
    property(integer({ min: 0, max: 999_999_999_999_999 }), (value) => {
      expect(parseDuration(formatDuration(value))).toBe(value);
    }),
  );
  expect([0, 1, 1500, 90_000, 3_600_000, 90 * 86_400_000, 14 * 86_400_000].map(formatDuration)).toEqual([
    "0ms",
    "1ms",
    "1500ms",
    "90s",
    "1h",
    "90d",
    "2w",
  ]);
});
