import { expect, it } from "vitest";
import { openConnection, sendBytes } from "./connection.js";
import { HOUR, type Start } from "./kit.js";
import { ask, received } from "./visitor.js";

/** Cookies that are none, or not ours, under our names and others. */
const oddCookies = (prefix: string): readonly string[] => [
  `${prefix}-access; ${prefix}-refresh=; =; ;;; =x; ${prefix}-access=%; ${prefix}-refresh=%zz`,
  `${prefix}-access="; ${prefix}-refresh="x"; a="b;c"; "`,
  `${prefix}-access=%0d%0aX-Injected:%20y; ${prefix}-refresh=%00%0aX-Injected:%20y`,
  `${prefix}-access=\u0080\u00ff; \u00e9t\u00e9=1; ${prefix}-refresh=\u00a0`,
  `${prefix}-access=..; ${prefix}-access=a.b.c; ${prefix}-refresh=pawl_rt_1.; ${prefix}-refresh=pawl_rt_1.${"A".repeat(2000)}`,
  `${"n".repeat(2000)}=1; ${`${prefix}-access=`.repeat(100)}`,
  "__proto__=1; constructor=2; toString=3",
  Array.from({ length: 300 }, (_, at) => `c${at}=1`).join("; "),
];

const oddHosts = (port: string): readonly string[] => [
  `localhost:${port}@evil.example`,
  "[::1",
  "evil.example/x",
  "evil.example?x",
  "evil.example#x",
  "evil.example\\x",
  "evil.example x",
  "evil.example, localhost",
  "\u00e9vil.example",
  "localhost:99999",
  "localhost:port",
  ":",
  "%0d%0a",
  "x".repeat(3000),
];

const oddHeaders: readonly Readonly<Record<string, string>>[] = [
  { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", forwarded: 'host=evil.example;proto="' },
  { "x-forwarded-host": "evil.example@:x", "x-forwarded-proto": "javascript", "x-forwarded-for": ",,\u00ff" },
  { "x-forwarded-proto": "https, http", "x-forwarded-for": "unknown", "x-forwarded-port": "x", via: "\u00ff" },
  { origin: "null", "sec-fetch-site": "nonsense" },
  { origin: "://", "sec-fetch-site": "" },
  { authorization: "Bearer" },
  { authorization: `Bearer ${"x".repeat(2000)}` },
];

/** A server may take these messages, refuse them, or close the connection; what they smuggle must come to nothing. */
const oddMessages = (host: string): Readonly<Record<string, string>> => {
  const message = (target: string, lines: readonly string[], version = "1.1"): string =>
    [`GET ${target} HTTP/${version}`, ...lines, "Connection: close", "", ""].join("\r\n");
  const own = `Host: ${host}`;
  return {
    "a line that goes on": message("/me", [own, "Cookie: pawl-access=1", " X-Injected: y"]),
    "a carriage return in a cookie": message("/me", [own, "Cookie: pawl-access=1\rX-Injected: y"]),
    "a line feed in a cookie": message("/me", [own, "Cookie: pawl-access=1\nX-Injected: y"]),
    "NUL in a cookie": message("/me", [own, "Cookie: pawl-access=\0"]),
    "a line end in X-Forwarded-Host": message("/me", [own, "X-Forwarded-Host: a\r X-Injected: y"]),
    "a line end in the return path": message("/session/refresh?return=/a\r\nX-Injected: y", [own]),
    "no Host": message("/me", []),
    "no Host in HTTP/1.0": message("/me", [], "1.0"),
    "an empty Host": message("/me", ["Host: "]),
    "two Hosts": message("/me", [own, "Host: evil.example"]),
    "two Origins": message("/me", [own, "Origin: null", "Origin: http://evil.example"]),
    "a target with a host": message("http://evil.example/me", [own]),
    "no HTTP": "\u0016\u0003\u0001\0\0\r\n\r\n",
  };
};

export const testHostileRequests = (start: Start): void => {
  const answersFor = [
    ["/me", "GET", 401],
    ["/maybe", "GET", 200],
    ["/leave", "POST", 200],
    ["/signout", "POST", 200],
    ["/session/refresh", "POST", 401],
    ["/session/refresh?return=%0d%0aX-Injected:%20y", "GET", 303],
  ] as const;

  it("answers as always whatever cookies come along, and finds its own among them", async () => {
    const { clock, origin, cookiePrefix, visitor, login, thefts } = await start();
    await login();
    const connection = openConnection(origin);
    for (const odd of oddCookies(cookiePrefix)) {
      for (const [path, method, expected] of answersFor) {
        const { answer } = connection.call(path, { method, headers: { cookie: odd } });
        const { status, headers } = await received(answer);
        expect([path, odd, status, headers["x-injected"]]).toEqual([path, odd, expected, undefined]);
      }
      for (const wait of [0, 2 * HOUR]) {
        clock.advance(wait);
        const { cookieHeader } = visitor;
        for (const cookie of [`${odd}; ${cookieHeader}`, `${cookieHeader}; ${odd}`]) {
          const answer = await visitor.ask("/me", { headers: { cookie } });
          expect([cookie, answer.status]).toEqual([cookie, 200]);
        }
      }
      expect((await visitor.ask("/me")).setCookies).toEqual([]);
    }
    connection.close();
    expect(thefts).toEqual([]);
  });

  it("believes no odd Host", async () => {
    const { origin, ownAnswers, visitor, login } = await start();
    await login();
    const allowed = [200, 303, 400, 401, 403, 404, 405];
    const seen = new Set<number>();
    for (const host of oddHosts(new URL(origin.replace(/^\w+/, "http")).port))
      for (const [path, method] of [
        ["/me", "GET"],
        ["/signout", "POST"],
        ["/session/refresh?return=/me", "GET"],
      ] as const) {
        // HTTP/2 has no answer for what is no authority (RFC 9113 section 8.1.1).
        const asked = ask(origin + path, { method, headers: { host } });
        const answer = await (origin.startsWith("h2") ? asked.catch(() => undefined) : asked);
        expect(JSON.stringify(answer?.headers ?? {})).not.toContain("evil.example");
        const status = answer?.status ?? 400;
        seen.add(status);
        const isExpected = allowed.includes(status) || (status === 500 && ownAnswers.failsAtOddHosts !== undefined);
        expect([path, host, status, isExpected]).toEqual([path, host, status, true]);
      }
    expect(seen.has(500)).toBe(ownAnswers.failsAtOddHosts !== undefined);
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("believes no header that anybody can send", async () => {
    const { origin, visitor, login } = await start();
    await login();
    const connection = openConnection(origin);
    for (const headers of oddHeaders)
      for (const [path, method] of answersFor) {
        const answer = await received(connection.call(path, { method, headers }).answer);
        const isExpected = [200, 303, 401, 403].includes(answer.status);
        expect([path, headers, answer.status, isExpected]).toEqual([path, headers, answer.status, true]);
        expect(JSON.stringify(answer.headers)).not.toContain("evil.example");
      }
    connection.close();
    expect((await visitor.ask("/me")).status).toBe(200);
  });

  it("survives messages that are none", async () => {
    const { origin, ownAnswers, visitor, login } = await start();
    await login();
    // HTTP/2 frames have no lines.
    const messages = origin.startsWith("h2") ? {} : oddMessages(new URL(origin).host);
    const expected =
      ownAnswers.failsAtOddHosts === undefined ? /^$|^HTTP\/1\.[01] (?:505|[1-4])/ : /^$|^HTTP\/1\.[01] /;
    for (const [name, message] of Object.entries(messages)) {
      const [head = ""] = (await sendBytes(origin, message)).split("\r\n\r\n", 1);
      expect([name, head]).toEqual([name, expect.stringMatching(expected)]);
      expect(head).not.toMatch(/x-injected/i);
      if (ownAnswers.namesTargets === undefined) expect(head).not.toContain("evil.example");
      expect((await visitor.ask("/me")).status).toBe(200);
    }
  });

  it("goes on after headers that are larger than the server takes", async () => {
    const { visitor, login } = await start();
    await login();
    for (const count of [2000, 50_000]) {
      const cookie = Array.from({ length: count }, (_, at) => `c${at}=${at}`).join("; ");
      // A server that refuses need not read to the end.
      const answer = await visitor.ask("/me", { cookie }).catch(() => undefined);
      expect([undefined, 200, 400, 431]).toContain(answer?.status);
      expect((await visitor.ask("/me")).status).toBe(200);
    }
  });
};
