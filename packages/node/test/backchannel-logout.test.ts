import { createHmac, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { BACKCHANNEL_LOGOUT, TestIdentityProvider } from "@pawl/adapter-conformance";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { readConfig, startCore } from "@pawl/core";
import { createPawl, fetchExchange, type Pawl, type PawlOptions } from "../src/index.js";
import { forwardTo } from "./adapters/forward.js";
import { served } from "./adapters/served.js";
import { backends, benchOf } from "./backends.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

type Json = Readonly<Record<string, unknown>>;
type Providers = NonNullable<Extract<PawlOptions, { storage: unknown }>["identityProviders"]>;

describe.each(backends)("logout tokens, %s", (_name, openBackend) => {
  const start = async (settingsOf: (provider: TestIdentityProvider) => Providers = ({ settings }) => [settings]) => {
    const held = await TestIdentityProvider.open();
    onTestFinished(() => held.close());
    const identityProviders = settingsOf(held);
    const bench = await benchOf(openBackend, {}, { identityProviders });
    held.clock = bench.clock;
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    onTestFinished(() => warned.mockRestore());
    const { pawl } = bench;
    const post = async (token: string, to: Pawl = pawl) => {
      const body = new URLSearchParams({ logout_token: token });
      const answer = await to.handle(
        fetchExchange(new Request("http://localhost/session/backchannel-logout", { method: "POST", body })),
      );
      return [answer?.status, answer?.body] as const;
    };
    const login = async (login: object = {}, more: object = {}) => {
      const identityProvider = { issuer: held.issuer, subject: "alice-there", sessionId: "sid-1", ...login };
      return (await pawl.tokens.create({ userId: "alice", identityProvider, ...more })).handle;
    };
    const isLive = async (handle: string) => (await pawl.sessions.get(handle)) !== undefined;
    return { ...bench, provider: held, post, login, isLive, warned, identityProviders };
  };

  const refusal = (error_description: unknown = expect.stringMatching(/^logout token refused: /)) =>
    [400, { error: "invalid_request", error_description }] as const;

  test.each<[string, Json, Json?]>([
    ["both", { sub: "alice-there", sid: "sid-1" }],
    ["the session alone", { sid: "sid-1" }],
    ["the user alone", { sub: "alice-there" }],
    ["no type", { sid: "sid-1" }, { typ: undefined }],
    ["the type of older providers", { sid: "sid-1" }, { typ: "JWT" }],
    ["its full type", { sid: "sid-1" }, { typ: "application/LOGOUT+JWT" }],
    ["a list of audiences", { sid: "sid-1", aud: ["my-app"] }],
    ["what nobody knows", { sid: "sid-1", "https://id.example/claim": 1, azp: "x" }],
    ["a second event", { sid: "sid-1", events: { [BACKCHANNEL_LOGOUT]: { a: 1 }, "https://other.example": {} } }],
  ])("are taken that name %s", async (_what, claims, header) => {
    const { provider, post, login, isLive } = await start();
    const handle = await login();
    expect(await post(provider.logoutToken(claims, header))).toEqual([200, { ended: 1 }]);
    expect(await isLive(handle)).toBe(false);
  });

  test("are taken from a clock that is a little off", async () => {
    const { provider, clock, post } = await start();
    const now = clock.now() / SECOND;
    for (const times of [{ iat: now + 59 }, { exp: now - 59 }, { iat: now - 3599 }])
      expect(await post(provider.logoutToken({ sid: "sid-1", ...times }))).toEqual([200, { ended: 0 }]);
  });

  test("are refused that are anything else", async () => {
    const { provider, clock, post, login, isLive } = await start();
    const handle = await login();
    const now = clock.now() / SECOND;
    const sid = "sid-1";
    const events = (value: unknown) => ({ sid, events: value });
    const faults: Readonly<Record<string, readonly [Json, Json?]>> = {
      "another type": [{ sid }, { typ: "at+jwt" }],
      "the type of other events": [{ sid }, { typ: "secevent+jwt" }],
      "a type that is no text": [{ sid }, { typ: 1 }],
      "another audience": [{ sid, aud: "another-app" }],
      "another audience besides": [{ sid, aud: ["my-app", "another-app"] }],
      "no audience": [{ sid, aud: undefined }],
      "an empty audience": [{ sid, aud: [] }],
      "another issuer": [{ sid, iss: "https://id.example" }],
      "an issuer with a slash": [{ sid, iss: `${provider.issuer}/` }],
      "no issuer": [{ sid, iss: undefined }],
      "no end": [{ sid, exp: undefined }],
      "an end that is no number": [{ sid, exp: "later" }],
      "an end long ago": [{ sid, exp: now - 61 }],
      "no time": [{ sid, iat: undefined }],
      "a time that is no number": [{ sid, iat: "now" }],
      "a time ahead": [{ sid, iat: now + 61 }],
      "a time long ago": [{ sid, iat: now - 3601, exp: now + 1e9 }],
      "a begin ahead": [{ sid, nbf: now + 61 }],
      "no jti": [{ sid, jti: undefined }],
      "an empty jti": [{ sid, jti: "" }],
      "a jti that is no text": [{ sid, jti: 7 }],
      "a nonce": [{ sid, nonce: "n" }],
      "an empty nonce": [{ sid, nonce: "" }],
      "null as a nonce": [{ sid, nonce: null }],
      nobody: [{}],
      "an empty sub": [{ sub: "", sid }],
      "an empty sid": [{ sub: "alice-there", sid: "" }],
      "a sub that is no text": [{ sub: 7, sid }],
      "null as a sid": [{ sub: "alice-there", sid: null }],
      "no events": [events(undefined)],
      "an empty list of events": [events({})],
      "another event": [events({ "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} })],
      "events as a list": [events([BACKCHANNEL_LOGOUT])],
      "events as a text": [events(BACKCHANNEL_LOGOUT)],
      "an event that is null": [events({ [BACKCHANNEL_LOGOUT]: null })],
      "an event that is a list": [events({ [BACKCHANNEL_LOGOUT]: [] })],
      "an event that is true": [events({ [BACKCHANNEL_LOGOUT]: true })],
      "an extension that has to be understood": [{ sid }, { crit: ["b64"], b64: false }],
    };
    for (const [name, [claims, header]] of Object.entries(faults))
      expect([name, ...(await post(provider.logoutToken(claims, header)))]).toEqual([name, ...refusal()]);
    expect(await isLive(handle)).toBe(true);
  });

  test("are refused whose signature is not the provider's own", async () => {
    const { provider, post, login, isLive } = await start();
    const handle = await login();
    const good = provider.logoutToken({ sid: "sid-1" });
    const [head = "", claims = "", signature = ""] = good.split(".");
    const [key] = provider.keys as readonly [Record<string, string>];
    const header = (changes: object): string =>
      Buffer.from(
        JSON.stringify({ ...(JSON.parse(Buffer.from(head, "base64url").toString()) as object), ...changes }),
      ).toString("base64url");
    const hmac = (secret: string | Buffer, changes: object = {}): string => {
      const input = `${header({ alg: "HS256", ...changes })}.${claims}`;
      return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    };
    const other = await TestIdentityProvider.open();
    onTestFinished(() => other.close());
    const [otherKey] = other.keys as readonly [Record<string, string>];
    const ofOther = (changes: object): string =>
      other.signed(provider.claims({ sid: "sid-1" }), { kid: key.kid, ...changes });
    const changed = Buffer.from(JSON.stringify(provider.claims({ sid: "sid-1" }))).toString("base64url");
    const tokens: Readonly<Record<string, string>> = {
      "no algorithm, no signature": `${header({ alg: "none" })}.${claims}.`,
      "no algorithm, the signature": `${header({ alg: "none" })}.${claims}.${signature}`,
      "no algorithm in capitals": `${header({ alg: "NONE" })}.${claims}.`,
      "no algorithm, and no key": `${header({ alg: "none", kid: undefined })}.${claims}.`,
      "no signature": `${head}.${claims}.`,
      "two parts": `${head}.${claims}`,
      "five parts": `${head}.${claims}.${signature}.a.b`,
      "the public key as a secret": hmac(JSON.stringify(key)),
      "the modulus as a secret": hmac(Buffer.from(key.n ?? "", "base64url"), { kid: undefined }),
      "an empty secret": hmac(""),
      "another algorithm": `${header({ alg: "RS512" })}.${claims}.${signature}`,
      "an unknown algorithm": `${header({ alg: "RS1" })}.${claims}.${signature}`,
      "the signature of another token": `${head}.${changed}.${signature}`,
      "another key of the same name": ofOther({}),
      "a key that it brings": ofOther({ jwk: otherKey }),
      "a key that it points at": ofOther({ jku: other.jwksUri }),
      "another key's name": ofOther({ kid: otherKey.kid }),
      "no key's name": ofOther({ kid: undefined }),
      "claims that are no JSON": `${head}.${Buffer.from("{").toString("base64url")}.${signature}`,
      "claims that are a list": `${head}.${Buffer.from("[]").toString("base64url")}.${signature}`,
      nothing: "",
      dots: "..",
      "17,000 characters": `${head}.${claims}.${"A".repeat(17_000)}`,
    };
    for (const [name, token] of Object.entries(tokens))
      expect([name, ...(await post(token))]).toEqual([name, ...refusal()]);
    expect(await isLive(handle)).toBe(true);
    expect(await post(good)).toEqual([200, { ended: 1 }]);
  });

  test("are taken once, by all servers on a store together, for as long as they are good", async () => {
    const { provider, clock, post, login, isLive, deploy, identityProviders } = await start();
    const other = deploy(openBackend === backends[0]?.[1] ? { identityProviders } : {});
    const token = provider.logoutToken({ sub: "alice-there", jti: "one" });
    const atOnce = await Promise.all([post(token), post(token, other), post(token), post(token, other)]);
    expect(atOnce.filter(([status]) => status === 200)).toHaveLength(1);
    expect(atOnce.filter(([status]) => status === 400)).toHaveLength(3);
    const later = await login({ sessionId: "sid-2" });
    clock.advance(90 * SECOND);
    for (const replay of [token, provider.logoutToken({ sub: "alice-there", jti: "one" })])
      for (const to of [undefined, other])
        expect(await post(replay, to)).toEqual(refusal("logout token refused: it was received before"));
    expect(await isLive(later)).toBe(true);
    clock.advance(2 * MINUTE);
    expect(await post(token)).toEqual(refusal("logout token refused: it has expired"));
    expect(await post(provider.logoutToken({ sub: "alice-there", jti: "one" }))).toEqual([200, { ended: 1 }]);
  });

  test("that come late spare the user's later logins", async () => {
    const { provider, clock, post, login, isLive } = await start();
    const token = provider.logoutToken({ sub: "alice-there" });
    const before = await login();
    clock.advance(100 * SECOND);
    const after = await login({ sessionId: "sid-2" });
    expect(await post(token)).toEqual([200, { ended: 1 }]);
    expect([await isLive(before), await isLive(after)]).toEqual([false, true]);
  });

  test("end what came from that login, and tell why", async () => {
    const { provider, post, login, isLive, pawl } = await start();
    const ended = await login();
    const spared = [
      await login({ sessionId: "sid-2" }),
      await login({ subject: "bob-there", sessionId: "sid-3" }),
      await login({ issuer: "https://id.example" }),
      await login({}, { tenantId: "customer-1" }),
      (await pawl.tokens.create({ userId: "alice" })).handle,
    ];
    expect(await post(provider.logoutToken({ sub: "bob-there", sid: "sid-1" }))).toEqual([200, { ended: 0 }]);
    expect(await post(provider.logoutToken({ sub: "alice-there", sid: "sid-1" }))).toEqual([200, { ended: 1 }]);
    for (const handle of spared) expect(await isLive(handle)).toBe(true);
    const { reason, summary, events } = await pawl.sessions.explain(ended);
    expect(reason).toBe("identity_provider");
    expect(summary).toContain(`by the identity provider that the user had logged in through (${provider.issuer})`);
    expect(events).toMatchObject([{ type: "session_ended", reason, detail: { by: provider.issuer } }]);
  });

  test("of a client that is a tenant's end that tenant's sessions alone", async () => {
    const { provider, post, login, isLive } = await start(({ issuer }) => [
      { issuer, clientId: "app-of-1", tenantId: "customer-1" },
      { issuer, clientId: "app-of-2", tenantId: "customer-2" },
      { issuer, clientId: "app-of-all", acrossTenants: true },
    ]);
    const loginAll = async () => ({
      here: await login(),
      one: await login({}, { tenantId: "customer-1" }),
      two: await login({}, { tenantId: "customer-2" }),
    });
    const handles = await loginAll();
    expect(await post(provider.logoutToken({ sub: "alice-there", aud: "app-of-1" }))).toEqual([200, { ended: 1 }]);
    expect(await Promise.all(Object.values(handles).map(isLive))).toEqual([true, false, true]);
    expect(await post(provider.logoutToken({ sub: "alice-there", aud: "app-of-all" }))).toEqual([200, { ended: 2 }]);
    expect(await post(provider.logoutToken({ sub: "alice-there" }))).toEqual(refusal());
  });

  describe("whose keys", () => {
    test("have changed are taken, and keys are asked for once, whoever sends tokens", async () => {
      const { provider, clock, post } = await start();
      const tokens = Array.from({ length: 20 }, () => provider.logoutToken({ sid: "sid-1" }));
      const answers = await Promise.all(tokens.map((token) => post(token)));
      expect(answers).toEqual(tokens.map(() => [200, { ended: 0 }]));
      expect(provider.keysAsked).toBe(1);
      provider.rotate();
      const token = provider.logoutToken({ sid: "sid-1" });
      // They were read just before: a token may name any key.
      for (let count = 0; count < 5; count += 1) expect(await post(token)).toEqual(refusal());
      expect(provider.keysAsked).toBe(1);
      clock.advance(31 * SECOND);
      expect(await post(token)).toEqual([200, { ended: 0 }]);
      for (let count = 0; count < 5; count += 1)
        await post(provider.logoutToken({ sid: "x" }, { kid: `kid-${count}` }));
      expect(provider.keysAsked).toBe(2);
      clock.advance(11 * MINUTE);
      expect(await post(provider.logoutToken({ sid: "sid-1" }))).toEqual([200, { ended: 0 }]);
      expect(provider.keysAsked).toBe(3);
    });

    test("have no names are tried one after the other", async () => {
      const { provider, post } = await start();
      const names = provider.keys.map((key) => ({ ...key, kid: undefined }));
      provider.rotate();
      provider.keys = [...names, ...provider.keys.map((key) => ({ ...key, kid: undefined }))];
      expect(await post(provider.logoutToken({ sid: "sid-1" }, { kid: undefined }))).toEqual([200, { ended: 0 }]);
      const other = await TestIdentityProvider.open();
      onTestFinished(() => other.close());
      const forged = other.signed(provider.claims({ sid: "sid-1" }), { kid: undefined });
      expect(await post(forged)).toEqual(refusal());
    });

    test("are where the configuration says, without a look at metadata", async () => {
      const { provider, post } = await start(({ settings, jwksUri }) => [{ ...settings, jwksUri }]);
      provider.instead = ({ url }, response) => url !== "/jwks" && Boolean(response.writeHead(500).end());
      expect(await post(provider.logoutToken({ sid: "sid-1" }))).toEqual([200, { ended: 0 }]);
    });

    test("cannot be used are no keys", async () => {
      const { provider, clock, post } = await start();
      const { n, kid } = provider.keys[0] as Record<string, string>;
      const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
      const token = provider.logoutToken({ sid: "sid-1" });
      const sets: readonly (readonly object[])[] = [
        [],
        [{ kty: "oct", k: n, kid }],
        [{ kty: "RSA", kid }],
        [{ kty: "EC", crv: "P-256", x: "AA", y: "AA", kid }],
        [{ kty: "unknown", kid }],
        [{ ...small, kid }],
        [{ ...provider.keys[0], use: "enc" }],
        [{ ...provider.keys[0], alg: "RS512" }],
      ];
      for (const keys of sets) {
        provider.keys = keys as typeof provider.keys;
        clock.advance(11 * MINUTE);
        const now = clock.now() / SECOND;
        const fresh = provider.logoutToken({ sid: "sid-1", iat: now, exp: now + 60 }, { kid });
        expect([keys, ...(await post(fresh))]).toEqual([keys, ...refusal()]);
      }
      expect(token).toBeDefined();
    });

    const troubles: Readonly<Record<string, NonNullable<TestIdentityProvider["instead"]>>> = {
      "answer 500": (_request, response) => Boolean(response.writeHead(500).end("{}")),
      "never come": () => true,
      "never end": (_request, response) => Boolean(response.write("[")),
      "are no JSON": (_request, response) => Boolean(response.end("<html>")),
      "are null": (_request, response) => Boolean(response.end("null")),
      "are huge": (_request, response) => {
        const more = (): void => void (response.destroyed || response.write(" ".repeat(65_536), more));
        more();
        return true;
      },
      "are elsewhere": ({ url }, response) =>
        url === "/jwks" && Boolean(response.writeHead(302, { location: "/other" }).end()),
      "are cut off": (_request, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("{");
        response.socket?.destroySoon();
        return true;
      },
      "are another issuer's": ({ url }, response) =>
        url !== "/jwks" &&
        Boolean(response.end(JSON.stringify({ issuer: "https://id.example", jwks_uri: "https://id.example/jwks" }))),
      "have no place": ({ url }, response) => url !== "/jwks" && Boolean(response.end("{}")),
      "are no list": ({ url }, response) => url === "/jwks" && Boolean(response.end('{"keys":{}}')),
      "are a thousand": ({ url }, response) =>
        url === "/jwks" &&
        Boolean(response.end(JSON.stringify({ keys: Array.from({ length: 1000 }, () => ({ kty: "RSA" })) }))),
    };
    test.each(Object.entries(troubles))(
      "%s: nothing is known, and the same token is taken later",
      async (_how, instead) => {
        const { provider, clock, post, login, isLive } = await start();
        const handle = await login();
        const soon = AbortSignal.timeout(500);
        const deadline = vi.spyOn(AbortSignal, "timeout").mockReturnValue(soon);
        onTestFinished(() => deadline.mockRestore());
        provider.instead = instead;
        const token = provider.logoutToken({ sid: "sid-1" });
        const unknown = [503, { error: "temporarily_unavailable" }];
        expect(await post(token)).toEqual(unknown);
        provider.instead = () => false;
        deadline.mockRestore();
        // For a moment it is left alone.
        expect(await post(token)).toEqual(unknown);
        expect(await isLive(handle)).toBe(true);
        clock.advance(4 * SECOND);
        expect(await post(token)).toEqual([200, { ended: 1 }]);
        expect(await isLive(handle)).toBe(false);
      },
    );
  });
});

test("the route is the application's own where no identity provider is known", async () => {
  const { pawl } = await benchOf(backends[0]![1]);
  const request = new Request("http://localhost/session/backchannel-logout", {
    method: "POST",
    body: new URLSearchParams({ logout_token: "x" }),
  });
  expect(pawl.handle(fetchExchange(request))).toBeUndefined();
});

test.each([
  [200, "<html>"],
  [400, "{}"],
  [404, ""],
  [413, "<html>"],
])("a proxy before the core that answers %i by itself has said nothing", async (status, body) => {
  const provider = await TestIdentityProvider.open();
  const core = await startCore({
    ...readConfig({ env: {}, cwd: import.meta.dirname }),
    port: 0,
    storage: "memory:",
    logLevel: "none",
  });
  const front = await served(
    createServer((request, response) => {
      if (request.url?.startsWith("/oauth/") !== true) forwardTo(core.address.port, request, response);
      else response.writeHead(status).end(body);
    }),
  );
  const pawl = createPawl({ core: [front.origin] });
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(async () => {
    warned.mockRestore();
    provider.close();
    await pawl.close();
    await front.close();
    await core.close();
  });
  const form = new URLSearchParams({ logout_token: provider.logoutToken({ sid: "sid-1" }) });
  const request = new Request("http://localhost/session/backchannel-logout", { method: "POST", body: form });
  expect(await pawl.handle(fetchExchange(request))).toMatchObject({
    status: 503,
    body: { error: "temporarily_unavailable" },
  });
});
