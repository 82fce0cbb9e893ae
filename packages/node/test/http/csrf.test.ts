import { describe, expect, test } from "vitest";
import { isFromOwnPage } from "@pawl/protocol";
import { NodeExchange } from "../../src/http/exchange.js";
import { FetchExchange } from "../../src/http/fetch-exchange.js";

const NO_ANSWER = { getHeader: () => undefined, setHeader: () => undefined };
const isOwn = (headers: Readonly<Record<string, string>>, url = "/") =>
  isFromOwnPage(new NodeExchange({ headers, url, method: "POST" }, NO_ANSWER), []);

describe("a page of the request's own host, where the browser says no more than its origin", () => {
  test.each([
    ["https://app.example.com", { host: "app.example.com" }],
    ["https://app.example.com", { host: "app.example.com:443" }],
    ["http://app.example.com", { host: "app.example.com:80" }],
    ["https://app.example.com", { host: "APP.Example.COM" }],
    ["https://app.example.com:8443", { host: "app.example.com:8443" }],
    ["https://app.example.com", { ":authority": "app.example.com" }],
    ["https://app.example.com", { ":authority": "App.example.com:443", host: "10.0.0.1:8080" }],
    ["https://[2001:db8::1]", { host: "[2001:DB8::1]:443" }],
  ])("%s is that of %j", (origin, headers) => expect(isOwn({ origin, ...headers })).toBe(true));

  test.each([
    ["https://app.example.com", { host: "app.example.com:8443" }],
    ["https://app.example.com:8443", { host: "app.example.com" }],
    ["https://app.example.com", { host: "app.example.com.evil.example" }],
    ["https://app.example.com", { host: "evil.example/app.example.com" }],
    ["https://app.example.com", { host: "user@app.example.com" }],
    ["https://app.example.com", { host: "app.example.com", "sec-fetch-site": "cross-site" }],
    ["null", { host: "null" }],
    ["", { host: "" }],
    ["https://app.example.com", {}],
  ])("%s is not that of %j", (origin, headers) => expect(isOwn({ origin, ...headers })).toBe(false));

  test("of a request in absolute form, and of a fetch request without a host, is that of its URL", () => {
    const origin = "https://app.example.com";
    expect(isOwn({ origin }, "https://App.example.com/login")).toBe(true);
    const request = (url: string) => new FetchExchange(new Request(url, { method: "POST", headers: { origin } }));
    expect(isFromOwnPage(request("https://app.example.com/login"), [])).toBe(true);
    expect(isFromOwnPage(request("https://app.example.com:443/login"), [])).toBe(true);
    expect(isFromOwnPage(request("https://evil.example/login"), [])).toBe(false);
  });
});
