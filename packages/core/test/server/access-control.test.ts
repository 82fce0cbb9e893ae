import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { createAccessControl } from "../../src/server/access-control.js";
import { listen, type Sending, type TestConfig, testConfig } from "../listening-core.js";
import { startCore } from "../../src/server/start-core.js";

const KEY = "correct-horse-battery-staple";
const OTHER = "second-key-of-the-operator=";
const keyed = (config: TestConfig = {}): TestConfig => ({ apiKeys: [KEY, OTHER], ...config });

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

  test.each([
    ["api-key", KEY],
    ["api-key", OTHER],
    ["authorization", `Bearer ${KEY}`],
    ["authorization", `bearer ${KEY}`],
    ["authorization", KEY],
  ])("a right one is taken from %s: %s", async (name, value) => {
    const core = await listen(keyed());
    const headers = { [name]: value };
    expect((await core.send("GET", "/v1/settings", { headers })).status).toBe(200);
    expect((await core.send("POST", "/handshake", { headers, body: {} })).status).toBe(200);
    expect((await core.send("GET", "/v1/none", { headers })).status).toBe(404);
  });

  test.each([
    ["a wrong one", { "api-key": `${KEY}x` }],
    ["a shorter one", { "api-key": KEY.slice(0, -1) }],
    ["another case", { "api-key": KEY.toUpperCase() }],
    ["an empty one", { "api-key": "" }],
    ["both at once", { "api-key": `${KEY},${OTHER}` }],
    ["a wrong one beside a right one in another header", { "api-key": "wrong", authorization: `Bearer ${KEY}` }],
    ["basic credentials", { authorization: `Basic ${KEY}` }],
  ])("%s is refused", async (_, headers) => {
    const core = await listen(keyed());
    expect((await core.send("GET", "/v1/settings", { headers })).status).toBe(401);
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
  test.each([
    ["Origin", { origin: "https://evil.example" }],
    ["an opaque Origin", { origin: "null" }],
    ["our own Origin", { origin: "http://localhost" }],
    ["Sec-Fetch-Site: cross-site", { "sec-fetch-site": "cross-site" }],
    ["Sec-Fetch-Site: same-site", { "sec-fetch-site": "same-site" }],
    ["Sec-Fetch-Site: same-origin", { "sec-fetch-site": "same-origin" }],
  ])("a request with %s is 403 everywhere, with a key too", async (_, headers) => {
    const core = await listen(keyed());
    for (const path of ["/v1/settings", "/v1/jwks", "/handshake", "/hello", "/healthz", "/none"]) {
      const answer = await core.send("GET", path, { headers: { ...headers, "api-key": KEY } });
      expect([path, answer.status]).toEqual([path, 403]);
    }
    const answer = await core.send("GET", "/v1/settings", { headers });
    expect(answer.json).toMatchObject({ code: "browser_refused" });
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

  test("a person's own navigation (Sec-Fetch-Site: none) is answered", async () => {
    const core = await listen();
    expect((await core.send("GET", "/hello", { headers: { "sec-fetch-site": "none" } })).status).toBe(200);
  });
});

describe("Host on another address, where ip_allow alone guards", () => {
  const refusal = (host: string | undefined, config: { readonly apiKeys?: readonly string[] } = {}) => {
    const access = createAccessControl({
      host: "sessions.example.com",
      apiKeys: [],
      ipAllow: ["10.0.0.0/8"],
      ...config,
    });
    // The machine of a test has loopback addresses alone.
    const socket = { remoteAddress: "10.0.0.5", localAddress: "10.0.0.1" } as Socket;
    return access({ socket, headers: host === undefined ? {} : { host }, open: true });
  };

  test.each(["evil.example", "evil.example:3567", "10.0.0.1.evil.example", "localhost.evil.example", ""])(
    "DNS rebinding: %j is refused",
    (host) => expect(refusal(host)).toBe("host_refused"),
  );

  test.each(
    ["10.0.0.1", "10.0.0.1:3567", "[fd00::1]:3567", "sessions.example.com", "Sessions.Example.com:3567"].concat([
      "pawl:3567",
      "pawl.default.svc.cluster.local",
      "core.internal",
      "nas.home.arpa",
    ]),
  )("%s is answered", (host) => expect(refusal(host)).toBeUndefined());

  test("with keys every name is answered: a page of another site has none", () => {
    expect(refusal("evil.example", { apiKeys: ["correct-horse-battery-staple"] })).toBeUndefined();
    expect(refusal(undefined)).toBeUndefined();
  });
});

describe("Host on loopback", () => {
  test.each(["evil.example", "evil.example:3567", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""])(
    "DNS rebinding: %j is 403",
    async (host) => {
      const core = await listen();
      const answer = await core.send("GET", "/v1/settings", { headers: { host } });
      expect(answer.status).toBe(403);
      expect(answer.json).toMatchObject({ code: "host_refused" });
      expect((await core.send("GET", "/hello", { headers: { host } })).status).toBe(403);
    },
  );

  test.each(["localhost", "LOCALHOST:3567", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:3567"])(
    "%s is answered",
    async (host) => {
      const core = await listen();
      expect((await core.send("GET", "/v1/settings", { headers: { host } })).status).toBe(200);
    },
  );

  test("a Host that was refused is refused again on the same connection, and after a good one", async () => {
    const core = await listen();
    const statuses: number[] = [];
    for (const host of ["evil.example", "localhost", "evil.example", "evil.example", "localhost"])
      statuses.push((await core.send("GET", "/hello", { headers: { host } })).status);
    expect(statuses).toEqual([403, 200, 403, 403, 200]);
  });

  test("the absolute form of a request does not go around it", async () => {
    const core = await listen();
    const socket = core.connect();
    socket.write("GET http://localhost/v1/settings HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe("ip_allow", () => {
  test.each([
    [["127.0.0.1"], 200],
    [["10.0.0.0/8", "127.0.0.0/8"], 200],
    [["10.0.0.0/8"], 403],
    [["127.0.0.2"], 403],
    [["::1", "fd00::/8"], 403],
    [["::ffff:127.0.0.1"], 200],
  ])("%j answers a caller on 127.0.0.1 with %i", async (ipAllow, status) => {
    const core = await listen({ ipAllow });
    expect((await core.send("GET", "/v1/settings")).status).toBe(status);
    expect((await core.send("GET", "/healthz")).status).toBe(status);
  });

  test.each([
    ["127.0.0.1", 200],
    ["::1", 403],
  ])("on a socket for both families, where IPv4 callers look like IPv6: %s answers %i", async (allowed, status) => {
    const core = await listen({ host: "::", ipAllow: [allowed] });
    expect((await core.send("GET", "/v1/settings")).status).toBe(status);
  });

  test("comes before everything else", async () => {
    const core = await listen({ ipAllow: ["10.0.0.1"], apiKeys: [KEY] });
    const answer = await core.send("GET", "/v1/settings", { headers: { host: "evil", origin: "x" } });
    expect(answer.json).toMatchObject({ code: "address_refused" });
  });
});

describe("where it listens", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "pawl.example.com"])("%s without keys does not start", async (host) => {
    await expect(startCore(testConfig({ host }))).rejects.toMatchObject({
      name: "ConfigError",
      code: "invalid_value",
      message: expect.stringMatching(/'host' is .* set 'api_keys' or 'ip_allow'/) as unknown,
    });
  });

  test.each([{ apiKeys: [KEY] }, { ipAllow: ["127.0.0.1"] }])("0.0.0.0 with %j starts", async (guard) => {
    const core = await listen({ host: "0.0.0.0", ...guard });
    expect((await core.send("GET", "/healthz")).status).toBe(200);
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
