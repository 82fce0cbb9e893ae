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
  ["sub", "exp", "iat", "tId", "rsub", "sessionHandle"].concat([
    "refreshTokenHash1",
    "parentRefreshTokenHash1",
    "antiCsrfToken",
  ]),
)("%s belongs to the access token, not to the payload", (name) => {
  expect(readFrontToken(frontToken({ payload: { [name]: 1, a: 1 } })).payload).toEqual({ a: 1 });
});

const OWN = ["iss", "aud", "jti", "client_id", "act", "auth_time", "amr", "acr"];

test("of Pawl's own access token has the handle as sid, and reserves more names", () => {
  const names = Object.fromEntries([...OWN, "pver", "tId", "rsub"].map((name) => [name, 1]));
  const payload = { ...names, role: "reader", sessionHandle: undefined, sid: "h2" };
  expect(readFrontToken(frontToken({ payload }))).toMatchObject({ handle: "h2", payload: { role: "reader" } });
});

test.each([...OWN, "sid"])("%s is the application's in an access token of the documented API", (name) => {
  expect(readFrontToken(frontToken({ payload: { [name]: 1 } }))).toMatchObject({ handle: "h1", payload: { [name]: 1 } });
});

test.each(["", "%", btoa("{}"), btoa("[")])("%j is none", (text) => expect(() => readFrontToken(text)).toThrow());
