import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { Access } from "../../src/server/dialect.js";
import { assertGuarded, createAccessControl } from "../../src/server/access-control.js";
import { listen, type Sending, type TestConfig, testConfig } from "../listening-core.js";
import { startCore } from "../../src/server/start-core.js";

const KEY = "correct-horse-battery-staple";
const OTHER = "second-key-of-the-operator=";
const keyed = <Config extends TestConfig>(config?: Config) => ({ apiKeys: [KEY, OTHER], ...config });

type Config = Parameters<typeof createAccessControl>[0];
interface Asked extends Partial<Pick<Socket, "remoteAddress" | "localAddress">> {
  readonly headers?: IncomingHttpHeaders;
  readonly access?: Access;
}

/** Asks for admission on one connection, once for each set of headers. */
const refusals = (config: Partial<Config>, headers: readonly IncomingHttpHeaders[], asked: Asked = {}) => {
  const access = createAccessControl({ host: "localhost", apiKeys: [], verifierApiKeys: [], ipAllow: [], ...config });
  const { access: needed = "full", ...addresses } = asked;
  const socket = { remoteAddress: "127.0.0.1", localAddress: "127.0.0.1", ...addresses } as Socket;
  return headers.map((each) => access({ socket, headers: each, access: needed }));
};
const refusal = (config: Partial<Config>, { headers = {}, ...asked }: Asked = {}) =>
  refusals(config, [headers], asked)[0];

describe("a key", () => {
  test.each<IncomingHttpHeaders>([
    { "api-key": KEY },
    { "api-key": OTHER },
    { authorization: `Bearer ${KEY}` },
    { authorization: `bearer   ${KEY}` },
    { authorization: KEY },
  ])("that is right is taken from %j", (headers) => expect(refusal(keyed(), { headers })).toBeUndefined());

  test.each<readonly [string, IncomingHttpHeaders]>([
    ["none", {}],
    ["a wrong one", { "api-key": `${KEY}x` }],
    ["a shorter one", { "api-key": KEY.slice(0, -1) }],
    ["another case", { "api-key": KEY.toUpperCase() }],
    ["an empty one", { "api-key": "" }],
    ["both at once", { "api-key": `${KEY},${OTHER}` }],
    ["a wrong one beside a right one in another header", { "api-key": "wrong", authorization: `Bearer ${KEY}` }],
    ["basic credentials", { authorization: `Basic ${KEY}` }],
  ])("is refused: %s; what is open needs none, nor does a core without keys", (_, headers) => {
    expect(refusal(keyed(), { headers })).toBe("api_key_invalid");
    expect(refusal(keyed(), { headers, access: "open" })).toBeUndefined();
    expect(refusal({}, { headers })).toBeUndefined();
  });
});

test.each<readonly [IncomingHttpHeaders, string | undefined]>([
  [{ origin: "https://evil.example" }, "browser_refused"],
  [{ origin: "null" }, "browser_refused"],
  [{ origin: "http://localhost" }, "browser_refused"],
  [{ "sec-fetch-site": "cross-site" }, "browser_refused"],
  [{ "sec-fetch-site": "same-site" }, "browser_refused"],
  [{ "sec-fetch-site": "same-origin" }, "browser_refused"],
  [{ "sec-fetch-site": "none" }, undefined],
])("a web page is refused, with a key too, a person's own navigation is not: %j", (headers, problem) => {
  expect(refusal(keyed(), { headers: { ...headers, "api-key": KEY } })).toBe(problem);
});

describe("Host on loopback", () => {
  test.each(["evil.example", "evil.example:3567", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])(
    "DNS rebinding: %j is refused",
    (host) => expect(refusal({}, { headers: { host } })).toBe("host_refused"),
  );

  test.each(["localhost", "LOCALHOST:3567", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:3567", "localhost:"])(
    "%s is answered",
    (host) => expect(refusal({}, { headers: { host } })).toBeUndefined(),
  );

  test.each(["::1", "::ffff:127.0.0.1"])("is looked at on %s too, even of those with a key", (localAddress) => {
    expect(refusal(keyed(), { localAddress, headers: { host: "pawl", "api-key": KEY } })).toBe("host_refused");
  });

  test("that was refused is refused again on the same connection, and after a good one", () => {
    const hosts = ["evil.example", "localhost", "evil.example", "evil.example", "localhost"];
    const bad = "host_refused";
    expect(
      refusals(
        {},
        hosts.map((host) => ({ host })),
      ),
    ).toEqual([bad, undefined, bad, bad, undefined]);
  });
});

describe("Host on another address, where ip_allow alone guards", () => {
  const guarded = { host: "sessions.example.com", ipAllow: ["10.0.0.0/8"] };
  const addresses = { remoteAddress: "10.0.0.5", localAddress: "10.0.0.1" };

  test.each(
    [
      "evil.example",
      "evil.example:3567",
      "10.0.0.1.evil.example",
      "localhost.evil.example",
      "core.internal.evil.example",
    ].concat(["", "a:b:3567", "[fd00::1", "[fd00::1]x", "x[fd00::1]", "pawl:80x"]),
  )("DNS rebinding: %j is refused", (host) =>
    expect(refusal(guarded, { ...addresses, headers: { host } })).toBe("host_refused"),
  );

  test.each(
    ["10.0.0.1", "10.0.0.1:3567", "[fd00::1]:3567", "sessions.example.com", "Sessions.Example.com:3567"].concat([
      "pawl:3567",
      "pawl.default.svc.cluster.local",
      "core.internal.",
      "nas.home.arpa",
    ]),
  )("%s is answered", (host) => expect(refusal(guarded, { ...addresses, headers: { host } })).toBeUndefined());

  test("with keys every name is answered: a page of another site has none", () => {
    const headers = { host: "evil.example", "api-key": KEY };
    expect(refusal({ ...guarded, apiKeys: [KEY] }, { ...addresses, headers })).toBeUndefined();
    expect(refusal(guarded, addresses)).toBeUndefined();
  });
});

describe("ip_allow", () => {
  test.each([
    [["127.0.0.1"], "127.0.0.1", true],
    [["10.0.0.0/8", "127.0.0.0/8"], "127.0.0.1", true],
    [["10.0.0.0/8"], "127.0.0.1", false],
    [["10.0.0.0/8"], "10.1.2.3", true],
    [["127.0.0.2"], "127.0.0.1", false],
    [["::1", "fd00::/8"], "127.0.0.1", false],
    [["::ffff:127.0.0.1"], "127.0.0.1", true],
    [["::1", "fd00::/8"], "::1", true],
    [["fd00::/8"], "fdff::1", true],
    [["fd00::/8"], "fe00::1", false],
    [["fe80::1"], "fe80::1%eth0", true],
    // As they look on a socket for both families.
    [["127.0.0.1"], "::ffff:127.0.0.1", true],
    [["10.0.0.0/8"], "::FFFF:10.1.2.3", true],
    [["127.0.0.1"], undefined, false],
  ] as const)("%j admits %s: %s", (ipAllow, remoteAddress, admitted) => {
    expect(refusal({ ipAllow }, { remoteAddress, access: "open" } as Asked)).toBe(
      admitted ? undefined : "address_refused",
    );
  });

  test("comes before everything else", () => {
    const headers = { host: "evil", origin: "x" };
    expect(refusal({ ipAllow: ["10.0.0.1"], apiKeys: [KEY] }, { headers })).toBe("address_refused");
  });
});

test.each([
  ["0.0.0.0", {}, false],
  ["::", {}, false],
  ["192.0.2.1", {}, false],
  ["pawl.example.com", {}, false],
  ["localhost", {}, true],
  ["0.0.0.0", { apiKeys: [KEY] }, true],
  ["0.0.0.0", { ipAllow: ["127.0.0.1"] }, true],
])("a core that listens on %s with %j is guarded: %s", (host, guard, isGuarded) => {
  const check = () => assertGuarded({ host, apiKeys: [], ipAllow: [], ...guard });
  if (isGuarded) expect(check).not.toThrow();
  else expect(check).toThrow(/'host' is .* set 'api_keys' or 'ip_allow'/);
});

describe("API keys", () => {
  const protectedPaths: readonly (readonly [string, string, Sending?])[] = [
    ["GET", "/v1/sessions"],
    ["POST", "/v1/sessions", { body: { userId: "u" } }],
    ["GET", "/v1/events"],
    ["GET", "/v1/revocations"],
    ["GET", "/v1/settings"],
    ["GET", "/v1/keys"],
    ["POST", "/v1/keys/rotate", { body: {} }],
    ["GET", "/v1/openapi.json"],
    ["GET", "/v1/none"],
    ["DELETE", "/v1/sessions"],
    ["POST", "/handshake", { body: {} }],
    ["POST", "/session", { body: {} }],
    ["DELETE", "/session", { body: {} }],
    ["POST", "/session/verify", { body: {} }],
    ["POST", "/session/refresh", { body: {} }],
    ["GET", "/session/user?userId=u"],
    ["GET", "/session/data?sessionHandle=h"],
    ["PUT", "/session/data", { body: {} }],
    ["GET", "/config?pid=1"],
    ["GET", "/devproductionmode?pid=1"],
    ["GET", "/none"],
    ["PATCH", "/session"],
  ];
  const openPaths = ["/healthz", "/readyz", "/hello", "/", "/v1/jwks"];

  test("without one, everything but health, hello and the key set is 401", async () => {
    const core = await listen(keyed());
    for (const [method, path, sending] of protectedPaths) {
      const answer = await core.send(method, path, sending);
      expect([path, answer.status]).toEqual([path, 401]);
      if (path.startsWith("/v1")) expect(answer.json).toMatchObject({ code: "api_key_invalid", status: 401 });
      else expect(answer.text).toBe("Invalid API key\n");
    }
    for (const path of openPaths) expect([path, (await core.send("GET", path)).status]).toEqual([path, 200]);
  });

  test("with one, everything is", async () => {
    const core = await listen(keyed());
    const headers = { "api-key": KEY };
    expect((await core.send("GET", "/v1/settings", { headers })).status).toBe(200);
    expect((await core.send("POST", "/handshake", { headers, body: {} })).status).toBe(200);
    expect((await core.send("GET", "/v1/none", { headers })).status).toBe(404);
  });

  test("one in the query is not looked at", async () => {
    const core = await listen(keyed());
    expect((await core.send("GET", `/v1/settings?api-key=${KEY}`)).status).toBe(401);
  });

  test("the bare 1.0 paths are served without one where the operator allows it, and nothing else is", async () => {
    const core = await listen(keyed({ cdi1: { enabled: true, withoutKey: true, keyKind: "static" } }));
    expect((await core.send("POST", "/handshake", { body: {} })).status).toBe(200);
    expect((await core.send("PATCH", "/session")).status).toBe(405);
    expect((await core.send("GET", "/v1/settings")).status).toBe(401);
    expect((await core.send("GET", "/none")).status).toBe(401);
  });
});

describe("web pages", () => {
  test("a request with an Origin is 403 everywhere, with a key too", async () => {
    const core = await listen(keyed());
    const headers = { origin: "https://evil.example", "api-key": KEY };
    for (const path of ["/v1/settings", "/v1/jwks", "/handshake", "/hello", "/healthz", "/none"])
      expect([path, (await core.send("GET", path, { headers })).status]).toEqual([path, 403]);
    expect((await core.send("GET", "/v1/settings", { headers })).json).toMatchObject({ code: "browser_refused" });
  });

  test("CVE-2022-41919: a form post as text/plain from a page is refused, whatever its content type", async () => {
    const core = await listen();
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]) {
      const headers = { origin: "https://evil.example", "content-type": type };
      const body = JSON.stringify({ userId: "u", userDataInJWT: {}, userDataInDatabase: {} });
      expect((await core.send("POST", "/session", { headers, body })).status).toBe(403);
    }
    expect((await core.send("GET", "/session/user?userId=u")).json).toEqual({ status: "OK", sessionHandles: [] });
  });

  test("the absolute form of a request does not go around the check of its Host", async () => {
    const core = await listen();
    const socket = core.connect();
    socket.write("GET http://localhost/v1/settings HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe("where it listens", () => {
  test("everybody's without keys does not start, with them it does", async () => {
    const refused = { name: "ConfigError", code: "invalid_value" };
    await expect(startCore(testConfig({ host: "0.0.0.0" }))).rejects.toMatchObject(refused);
    const core = await listen({ host: "0.0.0.0", apiKeys: [KEY] });
    expect((await core.send("GET", "/healthz")).status).toBe(200);
  });

  test("on a socket for both families IPv4 callers look like IPv6, and ip_allow admits them", async () => {
    const core = await listen({ host: "::", ipAllow: ["127.0.0.1"] });
    expect((await core.send("GET", "/v1/settings")).status).toBe(200);
  });

  test("a port that is taken is told, and nothing is left open", async () => {
    const first = await listen();
    await expect(startCore(testConfig({ port: first.port }))).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

const readAll = async (socket: NodeJS.ReadableStream): Promise<string> => {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
};
