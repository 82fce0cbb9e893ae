import { describe, expect, test } from "vitest";
import { isFromOwnPage, passesCsrfCheck } from "../src/csrf.js";
import { NodeExchange } from "../src/exchange.js";
import { fetchExchange } from "../src/fetch.js";

const OTHER = "https://www.example.com";

const exchangeWith = (headers: Readonly<Record<string, string>>): NodeExchange => {
  const { req, res } = fetchExchange(new Request("https://app.example.com/", { headers }));
  return new NodeExchange(req, res);
};

describe("a request of a page of the application", () => {
  test.each<[Readonly<Record<string, string>>, boolean]>([
    [{}, true],
    [{ "sec-fetch-site": "same-origin" }, true],
    [{ "sec-fetch-site": "none" }, true],
    [{ "sec-fetch-site": "same-site" }, false],
    [{ "sec-fetch-site": "cross-site" }, false],
    // Fetch Metadata, which no page can write, comes before the origin.
    [{ "sec-fetch-site": "same-origin", origin: "https://evil.example" }, true],
    [{ "sec-fetch-site": "cross-site", origin: "https://app.example.com" }, false],
    [{ "sec-fetch-site": "same-site", origin: OTHER }, true],
    [{ "sec-fetch-site": "cross-site", origin: OTHER }, true],
    [{ "sec-fetch-site": "same-site", origin: "https://evil.example.com" }, false],
    // Browsers without it send the origin.
    [{ origin: "https://app.example.com" }, true],
    [{ origin: "https://app.example.com:8443" }, false],
    [{ origin: OTHER }, true],
    [{ origin: "https://evil.example" }, false],
    [{ origin: "null" }, false],
    [{ origin: "" }, false],
  ])("%j: %s", (headers, isOwn) => {
    expect(isFromOwnPage(exchangeWith({ host: "app.example.com", ...headers }), [OTHER])).toBe(isOwn);
  });

  test("an origin that is no address is nobody's, also where no host is named", () => {
    expect(isFromOwnPage(exchangeWith({ origin: "null" }), [])).toBe(false);
    expect(isFromOwnPage(exchangeWith({ origin: "https://app.example.com" }), [])).toBe(false);
  });
});

describe("by mode", () => {
  const own = { host: "app.example.com", "sec-fetch-site": "same-origin" };
  const foreign = { host: "app.example.com", "sec-fetch-site": "cross-site" };
  const passes = (mode: "token" | "header" | "fetch-metadata", headers: Readonly<Record<string, string>>): boolean =>
    passesCsrfCheck(exchangeWith(headers), { mode, origins: [] });

  test("token: every request, because its token is compared elsewhere", () => {
    expect([passes("token", own), passes("token", foreign)]).toEqual([true, true]);
  });

  test("header: a request with any one header of a browser SDK, and no other", () => {
    for (const name of ["st-auth-mode", "rid", "supertokens-sdk-name"])
      expect(passes("header", { ...foreign, [name]: "" })).toBe(true);
    expect(passes("header", own)).toBe(false);
    expect(passes("header", { ...own, "x-requested-with": "x" })).toBe(false);
  });

  test("fetch-metadata: a request of an own page", () => {
    expect([passes("fetch-metadata", own), passes("fetch-metadata", foreign)]).toEqual([true, false]);
  });
});
