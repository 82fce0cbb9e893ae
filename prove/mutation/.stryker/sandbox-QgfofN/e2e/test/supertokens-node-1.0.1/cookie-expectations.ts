import { expect } from "vitest";
import type { Answer, Browser } from "./express-application.js";

/** The cookies are emptied with the attributes they were set with, and the page is told. */
export const expectCleared = (browser: Browser): void => {
  const { setCookies, headers } = browser.last as Answer;
  const rest = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=None";
  expect(setCookies).toEqual([
    `sAccessToken=; Domain=localhost; Path=/; ${rest}`,
    `sRefreshToken=; Domain=localhost; Path=/session/refresh; ${rest}`,
    `sIdRefreshToken=; Domain=localhost; Path=/; ${rest}`,
  ]);
  expect(headers.get("id-refresh-token")).toBe("remove");
  expect(headers.get("access-control-expose-headers")).toBe("id-refresh-token");
  expect(browser.tokens.size).toBe(0);
};

/** The last answer set no cookie and told nothing about one. */
export const expectUntouched = (browser: Browser): void => {
  const { setCookies, headers } = browser.last as Answer;
  expect(setCookies).toEqual([]);
  expect(headers.has("id-refresh-token")).toBe(false);
};
