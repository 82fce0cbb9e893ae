import { expect, test } from "vitest";
import { readFrontToken } from "../src/front-token.js";
import { frontToken } from "./globals.js";

test("reads whose session it is, what the application put into it, and how long the access token lives", () => {
  const payload = { role: "reader", 日本: "Zoë", subject: 1, tIds: 2, expiry: 3, my_sub: 4 };
  expect(readFrontToken(frontToken({ userId: "Zoë", lifetime: 90_000, payload }))).toEqual({
    userId: "Zoë",
    handle: "h1",
    lifetime: 90_000,
    payload,
  });
});

test.each(
  ["sub", "exp", "iat", "tId", "rsub", "pver", "sessionHandle"].concat([
    "refreshTokenHash1",
    "parentRefreshTokenHash1",
    "antiCsrfToken",
  ]),
)("%s belongs to the access token, not to the payload", (name) => {
  expect(readFrontToken(frontToken({ payload: { [name]: 1, a: 1 } })).payload).toEqual({ a: 1 });
});

test.each(["", "%", btoa("{}"), btoa("[")])("%j is none", (text) => expect(() => readFrontToken(text)).toThrow());
