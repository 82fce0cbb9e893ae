import { millis } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { cookieSettings } from "../src/cookie-settings.js";
import { NodeExchange } from "../../node/src/http/exchange.js";
import { fetchExchange } from "../src/fetch.js";
import { leftCookieLines } from "../src/left-cookies.js";
import type { CookieOptions } from "../src/options.js";

const backend = {
  cookieSecure: true,
  accessTokenPath: "/",
  refreshTokenPath: "/session/refresh",
  accessTokenValidity: millis(3_600_000),
  reuseWindow: millis(30_000),
  activityInterval: millis(60_000),
};

interface Given {
  readonly cookie: string;
  readonly host?: string;
  readonly path?: string;
  readonly options?: CookieOptions;
  readonly everywhere?: boolean;
}

const linesFor = ({
  cookie,
  host = "app.example.com",
  path = "/",
  options = {},
  everywhere = false,
}: Given): readonly string[] => {
  const request = new Request(`https://app.example.com${path}`, { headers: { host, cookie } });
  const { req, res } = fetchExchange(request);
  return leftCookieLines(new NodeExchange(req, res), cookieSettings(options, backend), { everywhere });
};

/** Name, domain and path of each cookie that is ended. */
const endedBy = (given: Given): readonly string[] =>
  linesFor(given).map((line) => {
    expect(line).toMatch(/^[^=]+=; .*Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly/);
    const [name] = line.split("=");
    return `${name} ${/Domain=([^;]*)/.exec(line)?.[1] ?? "-"} ${/Path=([^;]*)/.exec(line)?.[1]}`;
  });
const domainsOf = (given: Given): readonly string[] => [...new Set(endedBy(given).map((it) => it.split(" ")[1] ?? ""))];
const pathsOf = (given: Given): readonly string[] => [...new Set(endedBy(given).map((it) => it.split(" ")[2] ?? ""))];

describe("cookies that are as they should be are left alone", () => {
  test.each(["", "theirs=1; sSomething=2", "sAccessToken=a; sRefreshToken=r; sIdRefreshToken=i", "sAccessToken="])(
    "%j",
    (cookie) => expect(linesFor({ cookie })).toEqual([]),
  );

  test("with the names in force that have a prefix", () => {
    const cookie = "__Host-sAccessToken=a; __Secure-sRefreshToken=r";
    expect(linesFor({ cookie, options: { names: "prefixed" } })).toEqual([]);
  });
});

describe("a cookie of another name is ended wherever it may live", () => {
  test("with __Host- that is one place", () => {
    expect(linesFor({ cookie: "__Host-sAccessToken=x", path: "/a/b", options: { domain: "example.com" } })).toEqual([
      "__Host-sAccessToken=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=None",
    ]);
  });

  test("else every domain of the host with every path that the request is under, and the path in force", () => {
    const given = { cookie: "__Secure-sRefreshToken=x", path: "/a/b?c=/d" };
    const domains = ["-", "app.example.com", "example.com"];
    const ended = endedBy(given);
    // Those that a setting of ours may have had come first.
    const likely = domains.flatMap((domain) => ["/session/refresh", "/"].map((path) => `${domain} ${path}`));
    expect(ended.slice(0, likely.length)).toEqual(likely.map((place) => `__Secure-sRefreshToken ${place}`));
    const paths = ["/", "/a", "/a/", "/a/b", "/session/refresh"];
    const all = domains.flatMap((domain) => paths.map((path) => `__Secure-sRefreshToken ${domain} ${path}`));
    expect(ended.toSorted()).toEqual(all.toSorted());
  });

  test("under every name that the request shows", () => {
    const cookie = "sAccessToken=1; __Secure-sAccessToken=2; sIdRefreshToken=3";
    const names = endedBy({ cookie, host: "127.0.0.1", options: { names: "prefixed" } });
    expect(names).toEqual(["__Secure-sAccessToken - /", "sAccessToken - /", "sIdRefreshToken - /"]);
  });

  test("with a prefix it is ended with Secure, without which browsers take no such line", () => {
    const options: CookieOptions = { secure: false, sameSite: "lax" };
    for (const line of linesFor({ cookie: "__Secure-sAccessToken=x; __Host-sAccessToken=x", options }))
      expect(line).toMatch(/; Secure; SameSite=Lax$/);
    const plain = linesFor({ cookie: "sAccessToken=x; sAccessToken=y", options });
    expect(plain.length).toBeGreaterThan(0);
    for (const line of plain) expect(line).not.toContain("Secure");
  });
});

describe("a second cookie under the name in force", () => {
  const twice = "sAccessToken=1; sAccessToken=2";

  test("is ended everywhere but in the place in force", () => {
    const domains = ["app.example.com", "example.com"];
    const places = ["- /a", ...domains.flatMap((domain) => [`${domain} /`, `${domain} /a`])];
    const all = places.map((place) => `sAccessToken ${place}`).toSorted();
    expect(endedBy({ cookie: twice, path: "/a" }).toSorted()).toEqual(all);
    // The only value may be such a one as well, where the session was made here and has ended.
    expect(endedBy({ cookie: "sAccessToken=1", path: "/a", everywhere: true }).toSorted()).toEqual(all);
  });

  test.each(["example.com", ".example.com", ".EXAMPLE.com"])("spares the domain in force, written %j", (domain) => {
    const ended = endedBy({ cookie: twice, options: { domain } });
    expect(ended).toContain("sAccessToken - /");
    expect(ended).toContain("sAccessToken app.example.com /");
    expect(ended.filter((place) => place.toLowerCase().endsWith(" example.com /"))).toEqual([]);
  });

  test("is ended for each cookie by its own path", () => {
    const ended = endedBy({ cookie: "sRefreshToken=1; sRefreshToken=2", host: "localhost" });
    expect(ended).toEqual(["sRefreshToken - /"]);
  });
});

describe("domains", () => {
  const cookie = "__Secure-sAccessToken=x";

  test.each<[string, readonly string[]]>([
    ["app.example.com", ["-", "app.example.com", "example.com"]],
    ["APP.Example.com:8080", ["-", "app.example.com", "example.com"]],
    ["example.com:", ["-", "example.com"]],
    ["localhost", ["-"]],
    ["localhost:3000", ["-"]],
    // No more than five labels, and no domain that stands for a whole registry.
    ["a.b.c.d.e.f.g", ["-", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g"]],
    ["127.0.0.1:3000", ["-"]],
    ["[::1]:3000", ["-"]],
    // What is no host name stands in no line.
    ["", ["-"]],
    ["a_b.example.com", ["-"]],
    ["-a.example.com", ["-"]],
    ["a.example.com-", ["-"]],
    ["a.example.com.", ["-"]],
    ["a.example.com;x", ["-"]],
    ["a.example.com:80x", ["-"]],
    ["x y.example.com", ["-"]],
  ])("of the host %j", (host, domains) => expect(domainsOf({ cookie, host })).toEqual(domains));

  test("that are set or were set before are among them, once, whatever the host", () => {
    const options: CookieOptions = { domain: "example.com", olderDomain: "old.example" };
    const all = ["-", "example.com", "old.example", "app.example.com"];
    expect(domainsOf({ cookie, options })).toEqual(all);
    expect(domainsOf({ cookie, options, host: "127.0.0.1" })).toEqual(all.slice(0, 3));
    expect(domainsOf({ cookie, options: { olderDomain: "" }, host: "127.0.0.1" })).toEqual(["-"]);
  });
});

describe("paths", () => {
  const cookie = "__Secure-sAccessToken=x";

  test.each<[string, readonly string[]]>([
    ["/", ["/"]],
    ["/a", ["/", "/a"]],
    ["/a/", ["/", "/a", "/a/"]],
    ["/a/b/c/d/e/f", ["/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/", "/a/b/", "/a/b/c/", "/a/b/c/d/"]],
    // What would end its attribute is left out.
    ["/a;b/c", ["/"]],
    ["/a/b;c", ["/", "/a", "/a/"]],
    ["/a%20b/:<~", ["/", "/a%20b", "/a%20b/:%3C~", "/a%20b/"]],
  ])("of a request for %j", (path, paths) => expect(pathsOf({ cookie, path })).toEqual(paths));

  test("that stand in no cookie are left out", () => {
    const { res } = fetchExchange(new Request("https://app.example.com/"));
    const req = { headers: { host: "localhost", cookie }, url: "/a b/\x7f/<" };
    const lines = leftCookieLines(new NodeExchange(req, res), cookieSettings({}, backend), { everywhere: false });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("Path=/;");
  });
});

test("the place in force of a cookie with another name is no reason to spare it", () => {
  const ended = endedBy({ cookie: "sAccessToken=x", host: "localhost", options: { names: "prefixed" } });
  expect(ended).toEqual(["sAccessToken - /"]);
});
