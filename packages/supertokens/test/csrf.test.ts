import { describe, expect, test } from "vitest";
import { isFromOwnPage } from "@pawl/node/http";
import { isForeignRequest, isPageVisit, isUnsafe, passesCsrfCheck } from "../src/csrf.js";
import { NodeExchange } from "../../node/src/http/exchange.js";
import { fetchExchange } from "../src/fetch.js";

const OTHER = "https://www.example.com";

const exchangeWith = (headers: Readonly<Record<string, string>>, method = "GET"): NodeExchange => {
  const { req, res } = fetchExchange(new Request("https://app.example.com/", { headers, method }));
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

  test("an origin that is no address is nobody's; without a Host the URL names the own one", () => {
    expect(isFromOwnPage(exchangeWith({ origin: "null" }), [])).toBe(false);
    expect(isFromOwnPage(exchangeWith({ origin: "https://app.example.com" }), [])).toBe(true);
    expect(isFromOwnPage(exchangeWith({ origin: "https://other.example.com" }), [])).toBe(false);
  });

  // RFC 9110 section 4.2.3: case and the scheme's own port make no difference. RFC 9113 section 8.3.1: `:authority`.
  test.each<[Readonly<Record<string, string>>, string, boolean]>([
    [{ host: "app.example.com:443" }, "https://app.example.com", true],
    [{ host: "app.example.com:80" }, "http://app.example.com", true],
    [{ host: "app.example.com:80" }, "https://app.example.com", false],
    [{ host: "APP.Example.com" }, "https://app.example.com", true],
    [{ host: "app.example.com:8443" }, "https://app.example.com:8443", true],
    [{ host: "app.example.com:8443" }, "https://app.example.com", false],
    [{ host: "[::1]:3000" }, "http://[::1]:3000", true],
    [{ ":authority": "app.example.com" }, "https://app.example.com", true],
    [{ ":authority": "app.example.com", host: "evil.example" }, "https://evil.example", false],
    [{ host: "app.example.com@evil.example" }, "https://evil.example", false],
    [{ host: "evil.example/app.example.com" }, "https://evil.example", false],
    [{}, "https://app.example.com", false],
  ])("%j and the origin %s: %s", (headers, origin, isOwn) => {
    const exchange = new NodeExchange(
      { headers: { ...headers, origin } },
      { getHeader: () => undefined, setHeader: () => {} },
    );
    expect(isFromOwnPage(exchange, [])).toBe(isOwn);
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

describe("what a browser says of a request", () => {
  test.each<[string, string | undefined, string | undefined, boolean]>([
    ["GET", undefined, undefined, true],
    ["GET", "navigate", "document", true],
    ["GET", "navigate", "iframe", false],
    ["GET", "no-cors", "document", false],
    ["GET", "cors", undefined, false],
    ["POST", "navigate", "document", false],
  ])("%s, mode %s, for %s is a visit of a page: %s", (method, mode, destination, isVisit) => {
    const headers = { ...(mode && { "sec-fetch-mode": mode }), ...(destination && { "sec-fetch-dest": destination }) };
    expect(isPageVisit(exchangeWith(headers, method))).toBe(isVisit);
  });

  test.each<[string | undefined, string, boolean]>([
    [undefined, "cross-site", false],
    ["cors", "cross-site", false],
    ["navigate", "cross-site", true],
    ["no-cors", "same-site", true],
    ["navigate", "same-origin", false],
    ["navigate", "none", false],
  ])("mode %s and site %s is foreign: %s", (mode, site, isForeign) => {
    const headers = { "sec-fetch-site": site, ...(mode && { "sec-fetch-mode": mode }) };
    expect(isForeignRequest(exchangeWith(headers), [])).toBe(isForeign);
  });

  test.each(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])(
    "%s may change something, or not",
    (method) => {
      expect(isUnsafe(exchangeWith({}, method))).toBe(["POST", "PUT", "PATCH", "DELETE"].includes(method));
    },
  );
});
