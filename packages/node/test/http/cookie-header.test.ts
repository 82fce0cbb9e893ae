import { describe, expect, test } from "vitest";
import { cookieWriter } from "../../src/http/cookie-header.js";

describe("cookieWriter", () => {
  const date = Date.UTC(2027, 2, 3, 0, 9, 34);

  test.each([
    [
      { domain: "localhost", path: "/", secure: false, sameSite: "none" },
      "n=v; Domain=localhost; Path=/; Expires=Wed, 03 Mar 2027 00:09:34 GMT; HttpOnly; SameSite=None",
    ],
    [
      { path: "/a", secure: true, sameSite: "strict" },
      "n=v; Path=/a; Expires=Wed, 03 Mar 2027 00:09:34 GMT; HttpOnly; Secure; SameSite=Strict",
    ],
  ] as const)("%j", (attributes, line) => expect(cookieWriter("n", attributes)("v", date)).toBe(line));

  test("a value is percent-encoded", () => {
    const write = cookieWriter("n", { path: "/", secure: true, sameSite: "lax" });
    expect(write("a; Domain=evil\r\n", 0)).toMatch(/^n=a%3B%20Domain%3Devil%0D%0A; Path=\/; Expires=Thu, 01 Jan 1970/);
  });
});
