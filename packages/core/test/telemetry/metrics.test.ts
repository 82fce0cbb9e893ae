import { spawnSync } from "node:child_process";
import { BUCKETS, metricNames, metrics, prometheusName, storageCalls } from "@pawl/engine/telemetry";
import { problems, routes } from "@pawl/protocol";
import { findProgram, whyMissing } from "@pawl/test-servers";
import { millis } from "@pawl/storage";
import { describe, expect, test, vi } from "vitest";
import { coreMetrics } from "../../src/telemetry/prometheus.js";
import { listen, type ListeningCore, movableClock } from "../listening-core.js";

const fullKey = "full-key-0123456789-0123456789";
const verifierKey = "verifier-key-0123456789-012345";

type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };

const samplesOf = (text: string): Sample[] =>
  [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = "", labels = "", value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", text = ""]) => [label, text]),
    ),
    value: Number(value),
  }));

const scrape = async (core: ListeningCore): Promise<{ readonly text: string; readonly samples: Sample[] }> => {
  const { status, headers, text } = await core.send("GET", "/metrics");
  expect([status, headers["content-type"]]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  return { text, samples: samplesOf(text) };
};

/** The value of a metric; labels as `{outcome="valid"}`. */
const value = ({ samples }: { readonly samples: readonly Sample[] }, name: string, labels: object = {}) =>
  samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;

const login = async (core: ListeningCore, body: object = {}) =>
  (await core.send("POST", "/v1/sessions", { body: { userId: "alice", ...body } })).json;

const refresh = (core: ListeningCore, { token }: { readonly token: string }) =>
  core.send("POST", "/v1/sessions/refresh", { body: { refreshToken: token } });

describe("what is counted", () => {
  test("a theft, with all before it and after it", async () => {
    const clock = movableClock();
    const core = await listen({}, { clock });
    const before = await scrape(core);
    for (const name of ["pawl_logins_total", "pawl_thefts_total"]) expect(value(before, name)).toBe(0);

    const { accessToken, refreshToken } = await login(core);
    await core.send("POST", "/v1/sessions/verify", { body: { accessToken: accessToken.token } });
    const second = (await refresh(core, refreshToken)).json;
    // Within the window the same token gets the same answer.
    clock.move(120_000);
    const third = (await refresh(core, second.refreshToken)).json;
    clock.move(120_000);
    await refresh(core, third.refreshToken);
    // The first one is no honest client's any more.
    expect((await refresh(core, refreshToken)).status).toBe(401);
    await refresh(core, third.refreshToken);
    await core.send("POST", "/v1/sessions/verify", { body: { accessToken: third.accessToken.token } });

    const after = await scrape(core);
    expect(value(after, "pawl_logins_total")).toBe(1);
    expect(value(after, "pawl_thefts_total")).toBe(1);
    expect(value(after, "pawl_ends_total", { reason: "token_reuse" })).toBe(1);
    const refreshes = after.samples.filter(({ name }) => name === "pawl_refreshes_total");
    expect(
      refreshes
        .map(({ labels, value }) => [labels["outcome"], value])
        .toSorted((a, b) => String(a).localeCompare(String(b))),
    ).toEqual([
      ["repeated", 1],
      ["rotated", 2],
      ["token_reuse", 1],
      ["unauthorised", 1],
    ]);
    expect(value(after, "pawl_verifications_total", { outcome: "valid" })).toBe(1);
    expect(value(after, "pawl_verifications_total", { outcome: "unauthorised" })).toBe(1);
    expect(value(after, "pawl_revocations_known")).toBe(1);
    expect(value(after, "pawl_signing_key_age_seconds")).toBe(240);
    expect(value(after, "pawl_feed_lag_seconds")).toBe(0);
    const answered = { operation: "v1 refreshSession", status: "200" };
    expect(value(after, "pawl_request_duration_seconds_count", answered)).toBe(3);
    expect(value(after, "pawl_storage_call_duration_seconds_count", { call: "createSession", outcome: "ok" })).toBe(1);
  });

  test.each([
    ["logout", { reason: "logout" }],
    ["revoked", {}],
    ["revoked_by_admin", { reason: "revoked_by_admin" }],
  ])("ends by %s, each session once", async (reason, cause) => {
    const core = await listen();
    const { session } = await login(core);
    await login(core);
    await core.send("POST", "/v1/sessions/revoke", { body: { handles: [session.handle], ...cause } });
    await core.send("POST", "/v1/sessions/revoke", { body: { userId: "alice", ...cause } });
    await core.send("POST", "/v1/sessions/revoke", { body: { userId: "alice", ...cause } });
    expect(value(await scrape(core), "pawl_ends_total", { reason })).toBe(2);
  });

  test("a login beyond the limit ends another session", async () => {
    const core = await listen({ policy: { maxSessionsPerUser: 1 } });
    await login(core);
    await login(core);
    expect(value(await scrape(core), "pawl_ends_total", { reason: "session_limit" })).toBe(1);
  });

  test("ends by time are counted once, when they are swept", async () => {
    const clock = movableClock();
    const core = await listen({ policy: { idleTimeout: millis(60_000) } }, { clock });
    await login(core);
    clock.move(200 * 86_400_000);
    for (let round = 0; round < 2; round += 1) await core.engine.sweep();
    expect(value(await scrape(core), "pawl_ends_total", { reason: "idle" })).toBe(1);
  });

  test("refusals", async () => {
    const core = await listen({ apiKeys: [fullKey], verifierApiKeys: [verifierKey] });
    await core.send("POST", "/v1/sessions", { body: { userId: "alice" } });
    const { text, status } = await core.send("GET", "/metrics", { headers: { "api-key": verifierKey } });
    expect(status).toBe(200);
    expect(value({ samples: samplesOf(text) }, "pawl_refusals_total", { problem: "api_key_invalid" })).toBe(1);
  });

  test("a store that is down is told as failed, by its code", async () => {
    const core = await listen();
    const { refreshToken } = await login(core);
    await core.engine.storage.close();
    expect((await refresh(core, refreshToken)).status).toBe(503);
    const told = await scrape(core);
    expect(value(told, "pawl_refreshes_total", { outcome: "failed" })).toBe(1);
    expect(value(told, "pawl_storage_call_duration_seconds_count", { call: "rotate", outcome: "closed" })).toBe(1);
    expect(value(told, "pawl_refusals_total", { problem: "storage_unavailable" })).toBe(1);
  });

  test("streams have no duration", async () => {
    const core = await listen();
    const socket = core.connect();
    socket.write("GET /v1/revocations HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await vi.waitFor(async () => {
      await core.send("GET", "/hello");
      const { samples } = await scrape(core);
      const operations = samples.map(({ labels }) => labels["operation"]);
      expect(operations).toContain("hello");
      expect(operations).not.toContain("v1 watchRevocations");
    });
  });
});

describe("who may read", () => {
  test("a key is needed where there are any, and one of a verifier is enough", async () => {
    const core = await listen({ apiKeys: [fullKey], verifierApiKeys: [verifierKey] });
    const status = async (headers: Record<string, string>) => (await core.send("GET", "/metrics", { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ "api-key": "wrong-key-0123456789-0123456789" })).toBe(401);
    expect(await status({ authorization: `Bearer ${verifierKey}` })).toBe(200);
    expect(await status({ "api-key": fullKey })).toBe(200);
    expect(await status({ "api-key": fullKey, origin: "http://a.example" })).toBe(403);
    expect((await core.send("POST", "/metrics", { headers: { "api-key": fullKey } })).status).toBe(405);
  });

  test("a port of its own asks for none, and answers nothing else", async () => {
    const core = await listen({ apiKeys: [fullKey], metricsPort: 0 });
    const get = (path: string, headers = {}) => fetch(`http://127.0.0.1:${core.metricsPort}${path}`, { headers });
    expect(await (await get("/metrics")).text()).toContain("pawl_logins_total 0");
    for (const path of ["/", "/v1/keys", "/v1/jwks", "/metrics/", "/healthz"])
      expect([path, (await get(path, { "api-key": fullKey })).status]).toEqual([path, 404]);
    await core.close();
    await expect(get("/metrics")).rejects.toThrow();
  });

  test("no port of its own unless it is asked for", async () => expect((await listen()).metricsPort).toBeUndefined());
});

/** What each label may say. */
const operation =
  /^(?:none|metrics|hello|healthz|readyz|gateway check|(?:v1|oauth|cdi) \w+|cdi \/[\w/.-]+|cdi-1 [A-Z]+ \/[\w/]+)$/;
const allowed: Readonly<Record<string, (value: string) => boolean>> = {
  operation: (value) => operation.test(value) && (!value.startsWith("v1 ") || Object.hasOwn(routes, value.slice(3))),
  status: (value) => /^[1-5]\d\d$/.test(value),
  call: (value) => (storageCalls as readonly string[]).includes(value),
  outcome: (value) =>
    /^(?:ok|unavailable|closed|invalid_record|rotated|repeated|unauthorised|unproven|token_reuse|failed|valid|try_refresh|error)$/.test(
      value,
    ),
  reason: (value) =>
    /^(?:logout|revoked|revoked_by_admin|token_reuse|replaced|session_limit|identity_provider|erased)$/.test(value),
  problem: (value) => Object.hasOwn(problems, value),
  le: (value) => value === "+Inf" || BUCKETS.includes(Number(value)),
};

test("nothing that a user or a caller has sent is ever a label, and what is one is of our own words", async () => {
  const core = await listen({}, {});
  const canary = "CaNaRy";
  const { session, accessToken, refreshToken } = await login(core, {
    userId: canary,
    device: canary,
    address: "203.0.113.7",
    payload: { [canary]: canary },
    data: { [canary]: canary },
  });
  await core.engine.tenants.put("canary-tenant", {});
  const body = { [canary]: canary };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const requests: readonly (readonly [string, string, Parameters<ListeningCore["send"]>[2]?])[] = [
    ["GET", `/${canary}`],
    [canary.toUpperCase(), "/hello"],
    ["GET", `/v1/sessions/${session.handle}`],
    ["GET", `/v1/sessions/${session.handle}/explain`],
    ["GET", `/v1/sessions/${canary}`],
    ["GET", `/v1/sessions?userId=${canary}`],
    ["GET", `/v1/events?userId=${canary}&type=${canary}`],
    ["POST", "/v1/sessions", { body }],
    ["POST", "/v1/sessions", { body: { userId: canary, tenantId: "canary-tenant" } }],
    ["POST", "/v1/sessions/verify", { body: { accessToken: canary } }],
    ["POST", "/v1/sessions/verify", { body: { accessToken: accessToken.token } }],
    ["POST", "/v1/sessions/refresh", { body: { refreshToken: canary } }],
    ["POST", "/oauth/introspect", { body: `token=${canary}`, headers: form }],
    ["POST", "/oauth/introspect", { body: `token=${accessToken.token}`, headers: form }],
    [
      "GET",
      `/gateway/check?cookie=${canary}`,
      { headers: { cookie: `${canary}=${canary}`, "x-forwarded-uri": canary } },
    ],
    ["GET", "/apiversion"],
    ["GET", `/appid-${canary}/${canary}/recipe/session?sessionHandle=${session.handle}`],
    ["GET", `/recipe/session?sessionHandle=${session.handle}`, { headers: { "cdi-version": canary } }],
    ["POST", "/recipe/session/refresh", { body: { refreshToken: canary } }],
    ["GET", "/hello", { headers: { origin: `http://${canary}.example` } }],
    ["POST", "/v1/sessions/revoke", { body: { handles: [session.handle], reason: "logout", detail: canary } }],
    ["POST", "/v1/sessions/refresh", { body: { refreshToken: refreshToken.token } }],
  ];
  for (const [method, path, sending] of requests) await core.send(method, path, sending).catch(() => undefined);

  const { text, samples } = await scrape(core);
  for (const secret of [canary, "canary-tenant", session.handle, "203.0.113.7", refreshToken.token, accessToken.token])
    expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
  const ours = samples.filter(({ name }) => name.startsWith("pawl_"));
  expect(ours.length).toBeGreaterThan(100);
  for (const { name, labels } of ours)
    for (const [label, said] of Object.entries(labels))
      expect([name, label, said, allowed[label]?.(said)]).toEqual([name, label, said, true]);
});

test("two thousand users and hundreds of paths make no further line", async () => {
  const core = await listen();
  await login(core);
  await core.send("GET", "/nowhere");
  await scrape(core);
  // The background goes through its calls of the storage meanwhile.
  const lines = ({ text }: { readonly text: string }) =>
    text.split("\n").filter((line) => line.startsWith("pawl_") && !/call="(?!createSession)/.test(line)).length;
  const before = lines(await scrape(core));
  for (let user = 0; user < 2000; user++) {
    await core.engine.createSession({ userId: `user-${user}` as never });
    if (user % 10 === 0) await core.send("GET", `/nowhere-${user}`);
  }
  expect(lines(await scrape(core))).toBe(before);
});

test("all metrics of the table are told, but for those of clients, under the names that OpenTelemetry's exporters give them", async () => {
  const core = await listen();
  const { text } = await scrape(core);
  const told = [...text.matchAll(/^# TYPE (pawl_\w+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
  expect(told).toEqual(coreMetrics.map((name) => `${prometheusName(name)} ${metrics[name].kind}`));
  expect(metricNames.filter((name) => !coreMetrics.includes(name))).toEqual(["pawl.core.call.duration"]);
});

const noPromtool = whyMissing("promtool");
if (noPromtool !== undefined) process.stderr.write(`Prometheus does not check our metrics: ${noPromtool}\n`);

test.skipIf(noPromtool !== undefined)("Prometheus finds no fault with what is told", async () => {
  const core = await listen();
  await login(core);
  const { text } = await scrape(core);
  const { status, stdout, stderr } = spawnSync(findProgram("promtool"), ["check", "metrics"], { input: text });
  expect([String(stdout), String(stderr), status]).toEqual(["", "", 0]);
});
