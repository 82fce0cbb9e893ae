import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cookieValues } from "../src/index.js";

describe("cookieValues", () => {
  test.each([
    ["a=1", ["1"]],
    ["b=2; a=1", ["1"]],
    ["b=2;a=1;c=3", ["1"]],
    ["b=2;\t a=1", ["1"]],
    ["a=1; a=2; b=3; a=4", ["1", "2", "4"]],
    ["a=", [""]],
    ["a=; b=1", [""]],
    ['a="quoted"', ["quoted"]],
    ["a=%41%42", ["AB"]],
    ["a=%E0%A4%A", ["%E0%A4%A"]],
    ["a= 1 ", ["1"]],
    ["a=x=y", ["x=y"]],
    ["", []],
    ["xa=1", []],
    ["A=1", []],
    ["b=a=1", []],
    ["b=1, a=2", []],
    ["a", []],
    ["a= ", [""]],
    ["a=;b=2", [""]],
    ['a=""', [""]],
    ['a="', ['"']],
    ['a="x', ['"x']],
    ['a=x"', ['x"']],
    ['a="%41"', ["A"]],
    ["xa=1;a=2", ["2"]],
  ])("%j", (header, values) => expect(cookieValues(header, "a")).toEqual(values));

  test("only space and tab are trimmed: another blank shadows nothing (CVE-2026-39410)", () => {
    for (const blank of ["\u00a0", "\u2003", "\ufeff", "\v", "\f"]) {
      expect(cookieValues(`${blank}a=evil; a=good`, "a")).toEqual(["good"]);
      expect(cookieValues(`a=${blank}good`, "a")).toEqual([`${blank}good`]);
    }
  });

  test("50,000 cookies: bounded in number and time (CVE-2025-58186)", () => {
    const others = Array.from({ length: 50_000 }, (_, at) => `c${at}=${at}`).join("; ");
    const same = Array.from({ length: 50_000 }, (_, at) => `a=${at}`).join("; ");
    // Of these, whatever looked at each character more than a few times would take hours.
    expect(cookieValues(others, "a")).toEqual([]);
    expect(cookieValues(`${others}; a=1`, "a")).toEqual(["1"]);
    expect(cookieValues(same, "a")).toHaveLength(8);
    expect(cookieValues(`a=${" ".repeat(1_000_000)}x`, "a")).toEqual(["x"]);
    expect(cookieValues(`${" ".repeat(1_000_000)}a=1`, "a")).toEqual(["1"]);
    expect(cookieValues(`b${"a=".repeat(500_000)}`, "a")).toEqual([]);
  });

  test("property: any value that was percent-encoded comes back, among any other cookies", () => {
    const other = fc.tuple(fc.stringMatching(/^[b-z]{1,5}$/), fc.stringMatching(/^[\w%=-]{0,20}$/));
    fc.assert(
      fc.property(
        fc.array(other, { maxLength: 10 }),
        fc.string({ unit: "grapheme" }),
        fc.nat(10),
        (others, value, at) => {
          const pairs = others.map(([name, text]) => `${name}=${text}`);
          pairs.splice(at, 0, `a=${encodeURIComponent(value)}`);
          expect(cookieValues(pairs.join("; "), "a")).toEqual([value]);
        },
      ),
    );
  });
});
