import { describe, expect, test } from "vitest";
import { NodeExchange, type NodeRequest } from "../../src/http/exchange.js";

const response = () => {
  const headers = new Map<string, string | readonly string[]>();
  return {
    headers,
    res: {
      getHeader: (name: string) => headers.get(name),
      setHeader: (name: string, value: string | readonly string[]) => headers.set(name, value),
    },
  };
};
const cookiesOf = (request: NodeRequest | undefined) => new NodeExchange(request, response().res).cookies("a");

describe("cookies of a request", () => {
  test("from the header", () => expect(cookiesOf({ headers: { cookie: "a=1; a=2" } })).toEqual(["1", "2"]));
  test("from the header where there is one, whatever stands in `cookies`", () => {
    const others = [{ a: "changed" }, {}, new Map([["a", "2"]]), { get: () => "2" }, "a=2", undefined];
    for (const cookies of others) expect(cookiesOf({ headers: { cookie: "a=1" }, cookies })).toEqual(["1"]);
  });
  test("without a header from a plain object of texts, as a cookie parser leaves it", () => {
    expect(cookiesOf({ headers: {}, cookies: { a: "1" } })).toEqual(["1"]);
    expect(cookiesOf({ headers: {}, cookies: Object.assign(Object.create(null), { a: "1" }) })).toEqual(["1"]);
    class Cookies {
      a = "1";
    }
    for (const cookies of [new Map([["a", "1"]]), new Cookies(), { a: { b: 1 } }, "a=1", null])
      expect(cookiesOf({ headers: {}, cookies })).toEqual([]);
  });
  test("duplicates come from the header, whatever the parser made of them", () => {
    expect(cookiesOf({ headers: { cookie: "a=1; a=2" }, cookies: { a: "1" } })).toEqual(["1", "2"]);
  });
  test("an inherited member is no cookie", () => {
    const request = { headers: {}, cookies: {} };
    expect(new NodeExchange(request, response().res).cookies("constructor")).toEqual([]);
  });
  test("without a request there are none", () => expect(cookiesOf(undefined)).toEqual([]));
});

describe("headers of the answer", () => {
  test("are added behind a comma", () => {
    const { res, headers } = response();
    const exchange = new NodeExchange(undefined, res);
    exchange.appendHeader("X", "1");
    exchange.appendHeader("X", "2");
    expect(headers.get("X")).toBe("1, 2");
  });
  test("Set-Cookie lines of others stay, one or several", () => {
    const { res, headers } = response();
    const exchange = new NodeExchange(undefined, res);
    headers.set("Set-Cookie", "theirs=1");
    exchange.appendCookie("a=1");
    exchange.appendCookie("b=2");
    expect(headers.get("Set-Cookie")).toEqual(["theirs=1", "a=1", "b=2"]);
  });
});

test("device and address of a request", () => {
  const socket = { remoteAddress: "10.0.0.1" };
  const request = { headers: { "user-agent": "Browser/1" }, socket };
  const exchange = new NodeExchange(request, response().res);
  expect([exchange.device(), exchange.address()]).toEqual(["Browser/1", "10.0.0.1"]);
  expect(new NodeExchange({ ...request, ip: "192.0.2.7" }, response().res).address()).toBe("192.0.2.7");
});
