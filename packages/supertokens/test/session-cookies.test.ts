import type { IssuedSession } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { createWarnings } from "../../node/src/application-hook.js";
import { cookieSettings } from "../src/cookie-settings.js";
import { NodeExchange } from "../../node/src/http/exchange.js";
import { fetchExchange } from "../src/fetch.js";
import { leftCookieLines } from "../src/left-cookies.js";
import type { CookieOptions } from "../src/options.js";
import { createSessionCookies } from "../src/session-cookies.js";

const backend = {
  cookieSecure: true,
  accessTokenPath: "/",
  refreshTokenPath: "/session/refresh",
  accessTokenValidity: millis(3_600_000),
  reuseWindow: millis(30_000),
  activityInterval: millis(60_000),
};
const HOUR = 3_600_000;
const issued = {
  session: { handle: "h", tenantId: "public", userId: "u1", payload: {} },
  accessToken: { token: "h.e30.s", expiry: HOUR, createdTime: 0 },
  refreshToken: { token: "r", expiry: 2 * HOUR, createdTime: 0 },
  antiCsrfToken: "a",
} as unknown as IssuedSession;

const warnings: string[] = [];
const messages: string[] = [];

/** One request, and what the answer to it came to hold. */
const request = (headers: Readonly<Record<string, string>> = {}, options: CookieOptions = {}) => {
  const of = new Request("https://app.example.com/", { headers: { host: "app.example.com", ...headers } });
  const { req, res, applyTo } = fetchExchange(of);
  const cookies = createSessionCookies(cookieSettings(options, backend), (code, message) => {
    warnings.push(code);
    messages.push(message);
  });
  const exchange = new NodeExchange(req, res);
  return { cookies, exchange, answer: () => applyTo(new Response()).headers };
};
const ended = (name: string, path = "/"): string =>
  `${name}=; Path=${path}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=None`;
const allEnded = [ended("sAccessToken"), ended("sRefreshToken", "/session/refresh"), ended("sIdRefreshToken")];
const byHeader = { "st-auth-mode": "header" };

describe("reading", () => {
  test("the name in force comes first, whatever stands beside it", () => {
    const { cookies, exchange } = request({ cookie: "__Host-sAccessToken=old; sAccessToken=1; sAccessToken=2" });
    expect(cookies.read(exchange, "sAccessToken")).toEqual(["1", "2"]);
  });

  test("a name it had before counts where the one in force is not there", () => {
    const cookie = "sAccessToken=plain; __Secure-sAccessToken=secure";
    const { cookies, exchange } = request(
      { cookie },
      { names: "prefixed", alsoRead: ["sAccessToken", "__Secure-sAccessToken"] },
    );
    expect(cookies.read(exchange, "sAccessToken")).toEqual(["secure", "plain"]);
    expect(cookies.read(exchange, "sRefreshToken")).toEqual([]);
  });
});

describe("names that are not in force", () => {
  const allNames = ["__Host-sAccessToken", "__Secure-sAccessToken", "sAccessToken"];
  test.each<[CookieOptions, string]>([
    [{}, "__Host-sAccessToken"],
    [{ names: "prefixed" }, ""],
    [{ names: "prefixed", domain: "example.com" }, "__Host-sAccessToken"],
    [{ names: "prefixed", alsoRead: ["sAccessToken"] }, "sAccessToken"],
  ])("with %j, %j is read besides", (options, read) => {
    const inForce = cookieSettings(options, backend).cookies["sAccessToken"]?.name;
    const others = allNames.filter((name) => name !== inForce);
    const found = others.filter((name) => {
      const { cookies, exchange } = request({ cookie: `${name}=1` }, options);
      return cookies.read(exchange, "sAccessToken").length > 0;
    });
    expect(found.join()).toContain(read);
    if (read === "") expect(found).toEqual([]);
  });

  test("bring eight values at most", () => {
    const cookie = ["__Host-", "__Secure-"].flatMap((prefix) => Array(6).fill(`${prefix}sAccessToken=1`)).join("; ");
    const { cookies, exchange } = request({ cookie });
    expect(cookies.read(exchange, "sAccessToken")).toHaveLength(8);
  });
});

describe("a cookie under the name in force", () => {
  const linesAfter = (
    work: (cookies: ReturnType<typeof request>["cookies"], exchange: NodeExchange) => void,
  ): number => {
    const { cookies, exchange, answer } = request({ cookie: "sAccessToken=1" });
    work(cookies, exchange);
    return answer().getSetCookie().length;
  };

  test("may live elsewhere, where it is the session's own that ended; nothing else is looked for at a login", () => {
    expect(linesAfter((cookies, exchange) => cookies.write(exchange, issued))).toBe(3);
    expect(linesAfter((cookies, exchange) => cookies.clear(exchange, "in_force"))).toBe(3);
    expect(linesAfter((cookies, exchange) => cookies.clear(exchange, "shown"))).toBeGreaterThan(3);
    expect(linesAfter((cookies, exchange) => cookies.write(exchange, issued, "header"))).toBe(3);
  });
});

describe("new tokens", () => {
  test("travel in cookies unless said otherwise, and no cache keeps them", () => {
    const { cookies, exchange, answer } = request();
    cookies.write(exchange, issued);
    expect(answer().get("cache-control")).toBe("no-store");
    const [access, refresh, id, ...more] = answer().getSetCookie();
    expect(more).toEqual([]);
    const flags = "GMT; HttpOnly; Secure; SameSite=None";
    expect(access).toBe(`sAccessToken=h.e30.s; Path=/; Expires=Thu, 01 Jan 1970 01:00:00 ${flags}`);
    expect(refresh).toBe(`sRefreshToken=r; Path=/session/refresh; Expires=Thu, 01 Jan 1970 02:00:00 ${flags}`);
    expect(id).toMatch(/^sIdRefreshToken=[\da-f-]{36}; Path=\/; Expires=Thu, 01 Jan 1970 02:00:00 GMT/);
    expect(answer().get("st-access-token")).toBeNull();
    expect(answer().get("anti-csrf")).toBe("a");
  });

  test("of a cookie above what browsers keep write nothing; in headers they may be longer", () => {
    for (const [size, names, fits] of [
      [4096 - "sAccessToken".length, "documented", true],
      [4097 - "sAccessToken".length, "documented", false],
      [4097 - "__Host-sAccessToken".length, "prefixed", false],
    ] as const) {
      const token = { ...issued, accessToken: { ...issued.accessToken, token: "h.e30.".padEnd(size, "s") } };
      const inCookies = request({}, { names });
      const write = (): void => inCookies.cookies.write(inCookies.exchange, token);
      if (fits) expect(write).not.toThrow();
      else expect(write).toThrow(/browsers keep at most 4096/);
      expect(inCookies.answer().get("cache-control")).toBe(fits ? "no-store" : null);
      const inHeaders = request(byHeader);
      inHeaders.cookies.write(inHeaders.exchange, token, "header");
      expect(inHeaders.answer().get("st-access-token")).toHaveLength(size);
    }
  });

  test("travel in headers where that is asked for, and end the cookies only where there are some", () => {
    const { cookies, exchange, answer } = request(byHeader);
    cookies.write(exchange, issued, "header");
    expect(answer().getSetCookie()).toEqual([]);
    expect(answer().get("cache-control")).toBe("no-store");
    expect([answer().get("st-access-token"), answer().get("st-refresh-token")]).toEqual(["h.e30.s", "r"]);
    expect(answer().get("access-control-expose-headers")).toBe(
      "st-access-token, st-refresh-token, front-token, anti-csrf",
    );
    for (const name of ["sAccessToken", "sRefreshToken", "sIdRefreshToken"]) {
      const withCookie = request({ ...byHeader, cookie: `${name}=x` });
      withCookie.cookies.write(withCookie.exchange, issued, "header");
      expect(withCookie.answer().getSetCookie()).toEqual(allEnded);
    }
  });

  test("end cookies that were left under another name", () => {
    const { cookies, exchange, answer } = request({ cookie: "__Host-sAccessToken=old" });
    cookies.write(exchange, issued);
    expect(answer().getSetCookie()[0]).toBe(ended("__Host-sAccessToken"));
    expect(answer().getSetCookie()).toHaveLength(4);
  });
});

describe("the size of an answer's head", () => {
  const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];
  const cookie = ["", "__Secure-"].flatMap((prefix) => names.map((name) => `${prefix}${name}=x`)).join("; ");
  const host = "a.b.c.example.com";
  const linesOf = (issue: IssuedSession): readonly string[] => {
    const { cookies, exchange, answer } = request({ cookie, host, "st-auth-mode": "cookie" });
    cookies.write(exchange, issue);
    return answer().getSetCookie();
  };
  const withToken = (length: number): IssuedSession => ({
    ...issued,
    accessToken: { ...issued.accessToken, token: `h.${"A".repeat(length)}.s` },
  });

  test.each([
    [400, 3072],
    [1000, 3072],
    // Too large by itself: a little is cleared all the same.
    [1800, 512 + 1800 * 2 + 700],
  ])("with a token of %i is bounded, and answers clear every place in the end", (length, most) => {
    const { exchange } = request({ cookie, host });
    const left = new Set(leftCookieLines(exchange, cookieSettings({}, backend), { everywhere: false }));
    expect(left.size).toBeGreaterThan(15);
    for (let answers = 0; left.size > 0; answers++) {
      expect(answers).toBeLessThan(2000);
      const lines = linesOf(withToken(length));
      const bytes = lines.reduce((sum, line) => sum + line.length + 14, 0) + length;
      expect(bytes).toBeLessThanOrEqual(most);
      expect(lines.length).toBeGreaterThan(3);
      for (const line of lines) left.delete(line);
    }
  });

  test("above 3 KiB is warned of, and once", async () => {
    warnings.length = 0;
    linesOf(withToken(1000));
    expect(warnings).toEqual([]);
    linesOf(withToken(1500));
    expect(warnings).toEqual(["PAWL_LARGE_ANSWER"]);

    const emitted: unknown[] = [];
    const collect = (warning: Error & { readonly code?: string }): unknown => emitted.push(warning.code);
    process.on("warning", collect);
    const warnOnce = createWarnings();
    for (const code of ["PAWL_A", "PAWL_A", "PAWL_B", "PAWL_A"]) warnOnce(code, "large");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", collect);
    expect(emitted).toEqual(["PAWL_A", "PAWL_B"]);
  });
});

describe("what an answer has room for", () => {
  test("is used for lines that clear what is left", () => {
    const names = ["sAccessToken", "sRefreshToken", "sIdRefreshToken"];
    const cookie = names.flatMap((name) => [`${name}=1`, `__Secure-${name}=1`, `__Host-${name}=1`]).join("; ");
    const { cookies, exchange, answer } = request({ cookie });
    cookies.clear(exchange, "all");
    const lines = answer().getSetCookie();
    expect(lines.length).toBeGreaterThan(15);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.join().length).toBeLessThan(3072);
  });

  test("is said with its size, and what to set, where it is not enough", () => {
    messages.length = 0;
    const { cookies, exchange } = request();
    const token = "x".repeat(3000);
    cookies.write(exchange, { ...issued, accessToken: { ...issued.accessToken, token } });
    expect(messages).toEqual([expect.stringMatching(/take 3\d{3} bytes .* proxy_buffer_size/)]);
  });
});

describe("the end of a session", () => {
  test("ends the cookies, also those the request does not show", () => {
    for (const headers of [{}, { cookie: "sAccessToken=x" }, { "st-auth-mode": "cookie" }]) {
      const { cookies, exchange, answer } = request(headers);
      cookies.clear(exchange, "all");
      expect(answer().getSetCookie().slice(-3)).toEqual(allEnded);
      expect(answer().get("cache-control")).toBe("no-store");
      expect(answer().get("st-access-token")).toBeNull();
    }
  });

  test("empties the headers of a page that uses these, and ends only cookies that it shows", () => {
    for (const headers of [byHeader, { authorization: "Bearer x" }]) {
      const { cookies, exchange, answer } = request(headers);
      cookies.clear(exchange, "in_force");
      expect([answer().get("st-access-token"), answer().get("st-refresh-token")]).toEqual(["", ""]);
      expect(answer().getSetCookie()).toEqual([]);
      const both = request({ ...headers, cookie: "sIdRefreshToken=x" });
      both.cookies.clear(both.exchange, "in_force");
      expect(both.answer().getSetCookie()).toEqual(allEnded);
    }
  });

  test("is told to the page", () => {
    const plain = request();
    plain.cookies.clear(plain.exchange, "in_force");
    expect(plain.answer().get("id-refresh-token")).toBe("remove");
    const withFrontToken = request(byHeader);
    withFrontToken.cookies.clear(withFrontToken.exchange, "in_force");
    expect(withFrontToken.answer().get("front-token")).toBe("remove");
  });

  test("of a request that showed none ends none, where only shown ones are to end", () => {
    const { cookies, exchange, answer } = request();
    cookies.clear(exchange, "shown");
    expect([answer().getSetCookie(), answer().get("id-refresh-token")]).toEqual([[], "remove"]);
    const shown = request({ cookie: "sIdRefreshToken=x" });
    shown.cookies.clear(shown.exchange, "shown");
    expect(shown.answer().getSetCookie().slice(-3)).toEqual(allEnded);
  });
});
