import { expect, test } from "vitest";
import { parseJsonObject } from "../../src/server/json-object.js";

test.each(["", "{", "null", "[]", "1", '"text"', "{} {}"])("%j is no object", (text) =>
  expect(parseJsonObject(text)).toBeUndefined(),
);

test("an object is read with its members", () =>
  expect(parseJsonObject('{"a":[{}],"b":null}')).toEqual({ a: [{}], b: null }));

const nested = (depth: number, open: string, close: string): string =>
  `{"a":${open.repeat(depth - 1)}1${close.repeat(depth - 1)}}`;
const long = "x".repeat(2000);

test.each([
  ["arrays of depth 1000", nested(1000, "[", "]"), true],
  ["arrays of depth 1001", nested(1001, "[", "]"), false],
  ["objects of depth 1000", nested(1000, '{"a":', "}"), true],
  ["objects of depth 1001", nested(1001, '{"a":', "}"), false],
  ["many side by side", `{"a":[${"[],{},".repeat(2000)}[]]}`, true],
  ["brackets in a text", JSON.stringify({ a: "[{".repeat(2000) }), true],
  ["brackets after a quote in a text", JSON.stringify({ a: `"\\${"[{".repeat(2000)}"` }), true],
  ["depth after a text that ends in a backslash", `{"x":"${long}\\\\","a":${nested(1000, "[", "]")}}`, false],
  ["a text that does not end", `{"x":"${long}`, false],
])("%s: read %s", (_, text, isRead) => expect(parseJsonObject(text) !== undefined).toBe(isRead));
