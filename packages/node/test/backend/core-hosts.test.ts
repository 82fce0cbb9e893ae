import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createTelemetry } from "@pawl/engine/telemetry";
import { type CoreCall, CoreHosts, type CoreHostsOptions } from "../../src/backend/core/core-hosts.js";
import { listen, type WebApp } from "../../../supertokens/test/web-app.js";

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});

interface Host extends WebApp {
  readonly asked: string[];
}

const host = async (answer: RequestListener): Promise<Host> => {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    answer(req, res);
  });
  const app = await listen(server);
  open.push(app);
  return { ...app, asked };
};

const ok =
  (name: string): RequestListener =>
  (_req, res) =>
    void res.end(JSON.stringify({ name }));
const failing =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) => {
    res.writeHead(status, headers);
    res.end(JSON.stringify({ code: "internal_error", title: "Something happened" }));
  };
const silent = (): void => undefined;
const dropping = (req: IncomingMessage, _res: ServerResponse): void => void req.socket.destroy();

const hostsOf = (hosts: readonly string[], options: Partial<CoreHostsOptions> = {}): CoreHosts => {
  const all = new CoreHosts({ hosts, tryTimeout: 300, callTimeout: 5000, telemetry: createTelemetry(), ...options });
  open.push(all);
  return all;
};

/** An address at which nobody listens. */
const nobody = async (): Promise<string> => {
  const app = await listen(createServer());
  await app.close();
  return app.url;
};

const read: CoreCall = { method: "GET", path: "/x", operation: "read", idempotent: true };
const create: CoreCall = { method: "POST", path: "/x", operation: "create", body: "{}", idempotent: false };

test("calls go to each host in turn", async () => {
  const [a, b, c] = [await host(ok("a")), await host(ok("b")), await host(ok("c"))];
  const hosts = hostsOf([a.url, b.url, c.url]);
  const names: unknown[] = [];
  for (let call = 0; call < 6; call++) names.push(((await hosts.call(read)).body as { name: string }).name);
  expect(names).toEqual(["a", "b", "c", "a", "b", "c"]);
});

test("a base path, an API key and a body arrive", async () => {
  const headers: unknown[] = [];
  const a = await host((req, res) => {
    headers.push(req.headers["api-key"], req.headers["content-type"], req.headers["origin"]);
    ok("a")(req, res);
  });
  const hosts = hostsOf([`${a.url}/base/`], { apiKey: "secret-key" });
  await hosts.call(create);
  await hosts.call(read);
  expect(a.asked).toEqual(["POST /base/x", "GET /base/x"]);
  expect(headers).toEqual(["secret-key", "application/json", undefined, "secret-key", undefined, undefined]);
});

describe("the next host is asked", () => {
  test.each([
    ["after a refused connection", "read", undefined],
    ["after a refused connection, also to create", "create", undefined],
    ["after a 500", "read", failing(500)],
    ["after a 503", "read", failing(503, { "retry-after": "1" })],
    ["after a time-out", "read", silent],
    ["after a dropped connection", "read", dropping],
  ] as const)("%s", async (_, kind, bad) => {
    const first = bad === undefined ? await nobody() : (await host(bad)).url;
    const good = await host(ok("good"));
    const hosts = hostsOf([first, good.url]);
    const answer = await hosts.call(kind === "read" ? read : create);
    expect(answer).toMatchObject({ status: 200, body: { name: "good" } });
  });

  test("and the one that failed rests for a moment, asked last", async () => {
    const bad = await host(failing(500));
    const good = await host(ok("good"));
    const hosts = hostsOf([bad.url, good.url]);
    for (let call = 0; call < 10; call++) await hosts.call(read);
    expect(bad.asked).toHaveLength(1);
    expect(good.asked).toHaveLength(10);
  });
});

describe("no other host is asked", () => {
  test.each([
    ["after a 500", failing(500)],
    ["after a 503", failing(503)],
    ["after a time-out", silent],
    ["after a dropped connection", dropping],
  ])("to create, %s: the first may have done it", async (_, bad) => {
    const first = await host(bad);
    const second = await host(ok("second"));
    await expect(hostsOf([first.url, second.url]).call(create)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(first.asked).toHaveLength(1);
    expect(second.asked).toHaveLength(0);
  });

  test.each([400, 401, 404, 429])("after a %d, which is an answer", async (status) => {
    const first = await host(failing(status));
    const second = await host(ok("second"));
    expect(await hostsOf([first.url, second.url]).call(read)).toMatchObject({ status });
    expect(second.asked).toHaveLength(0);
  });
});

describe("when no host answers", () => {
  test("GENERAL_ERROR names what happened", async () => {
    const hosts = hostsOf([await nobody(), await nobody()]);
    await expect(hosts.call(read)).rejects.toMatchObject({
      code: "UNKNOWN",
      message: "No Pawl core available to query: ECONNREFUSED",
      retryAfter: 1,
    });
  });

  test("a 503 from all: the wait that the core asks for is told", async () => {
    const a = await host(failing(503, { "retry-after": "7" }));
    await expect(hostsOf([a.url]).call({ ...read, path: "/x?user=secret" })).rejects.toMatchObject({
      code: "UNKNOWN",
      retryAfter: 7,
      message:
        "Pawl core threw an error for a GET request to path: '/x' with status code: 503 and message: internal_error: Something happened",
    });
    expect(a.asked).toHaveLength(1);
  });

  test("a dropped connection of a single host is tried once more: that is what a restart looks like", async () => {
    let calls = 0;
    const a = await host((req, res) => (calls++ === 0 ? dropping(req, res) : ok("a")(req, res)));
    expect(await hostsOf([a.url]).call(read)).toMatchObject({ body: { name: "a" } });
    const always = await host(dropping);
    await expect(hostsOf([always.url]).call(read)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(always.asked).toHaveLength(2);
  });

  test("the deadline of the call holds, whatever the number of hosts", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => host(silent)));
    const start = performance.now();
    const hosts = hostsOf(
      all.map(({ url }) => url),
      { tryTimeout: 200, callTimeout: 500 },
    );
    await expect(hosts.call(read)).rejects.toMatchObject({
      message: "No Pawl core available to query: TimeoutError",
    });
    expect(performance.now() - start).toBeLessThan(1500);
    expect(all.filter(({ asked }) => asked.length > 0).length).toBeLessThan(6);
  });
});

test("a request that waits for a free connection has the same deadline, and a close ends all that wait", async () => {
  const a = await host(silent);
  const hosts = hostsOf([a.url], { tryTimeout: 2000 });
  const failures = await Promise.all(Array.from({ length: 140 }, () => hosts.call(create).catch(String)));
  for (const failure of failures) expect(failure).toMatch(/No Pawl core available to query: (TimeoutError|ETIMEDOUT)$/);
  const asked = a.asked.length;
  const waiting = Promise.all(Array.from({ length: 140 }, () => hosts.call(read).catch(String)));
  // Some are on their way.
  await expect.poll(() => a.asked.length).toBeGreaterThan(asked);
  hosts.close();
  expect(new Set(await waiting)).toEqual(new Set(["SessionError: No Pawl core available to query: Error"]));
  await expect(hosts.call(read)).rejects.toMatchObject({ code: "UNKNOWN" });
});
