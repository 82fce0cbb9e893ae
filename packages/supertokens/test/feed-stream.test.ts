import type { Policy } from "@pawl/engine";
import { millis } from "@pawl/storage";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { FeedStream, type FeedStreamOptions } from "../../node/src/backend/core/feed-stream.js";
import { coreConfig } from "./core-config.js";
import { page, startProxiedCore } from "./core-proxy.js";
import { listen } from "./web-app.js";

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).toReversed()) await it.close();
});

const follow = async (answer: RequestListener, options: Partial<FeedStreamOptions> = {}) => {
  const heard: string[] = [];
  const asked: (string | undefined)[] = [];
  const server = await listen(
    createServer((req, res) => {
      asked.push(req.headers["last-event-id"] as string | undefined);
      answer(req, res);
    }),
  );
  open.push(server);
  const stream = new FeedStream({
    nextHost: () => server.url,
    path: "/feed",
    headers: {},
    prepare: async () => ({ again: false }),
    onRevoked: ({ handle }) => heard.push(handle),
    onChanged: ({ handle, payloadVersion, at }) => heard.push(`${handle} ${payloadVersion} ${at}`),
    ...options,
  });
  open.push(stream);
  return { stream, heard, asked };
};

/** Tells one revocation, then ends the connection. */
const telling =
  (id: string): RequestListener =>
  (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    res.end(`event: revoked\nid: ${id}\ndata: {"handle":"h","at":1}\n\n`);
  };

describe("ids of events", () => {
  test("come back in Last-Event-ID", async () => {
    const { asked } = await follow(telling("17.c"));
    await expect.poll(() => asked).toEqual([undefined, "17.c", "17.c"]);
  });

  test.each(["€", "a b", "\u007f", "x".repeat(5000)])(
    "that could not stand in a header are ignored: %j",
    async (id) => {
      const { asked, heard } = await follow(telling(id));
      await expect.poll(() => asked.length).toBeGreaterThan(2);
      expect(new Set(asked)).toEqual(new Set([undefined]));
      expect(heard.length).toBeGreaterThan(1);
    },
  );
});

test("changes are told with their version, and what says something else is passed over", async () => {
  const data = [
    '{"handle":"h","payloadVersion":2,"at":1}',
    '{"handle":"h","at":1}',
    '{"handle":"h","payloadVersion":"2","at":1}',
    '{"payloadVersion":2,"at":1}',
    "null",
    "{",
    '{"handle":"i","payloadVersion":3,"at":2}',
  ];
  const { heard } = await follow((_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(data.map((text) => `event: changed\ndata: ${text}\n\n`).join(""));
    res.write('event: revoked\ndata: {"handle":"j","at":3}\n\n');
  });
  await expect.poll(() => heard).toEqual(["h 2 1", "i 3 2", "j"]);
});

test("what cannot be asked at all is tried again and harms nobody", async () => {
  let tries = 0;
  const { stream } = await follow(page, { nextHost: () => `nonsense ${++tries}` });
  await expect.poll(() => tries).toBeGreaterThan(2);
  expect(stream.cutFor).toBeGreaterThan(0);
});

test.each([
  ["a page", page],
  ["JSON", (_req, res) => void res.writeHead(200, { "content-type": "application/json" }).write("{}")],
  ["something without a type", (_req, res) => void res.writeHead(200).write("event: revoked\n")],
] as readonly (readonly [string, RequestListener])[])("%s with status 200 is no feed", async (_, answer) => {
  const { stream, asked } = await follow(answer);
  await expect.poll(() => asked.length).toBeGreaterThan(2);
  expect(stream.cutFor).toBeGreaterThan(100);
});

describe("settings of a core that was restarted", () => {
  const begin = async (policy: Partial<Policy>) => {
    const folder = await mkdtemp(join(tmpdir(), "pawl-node-"));
    const proxied = await startProxiedCore(policy, { storage: `sqlite:${join(folder, "pawl.db")}` });
    open.push({ close: () => rm(folder, { recursive: true }) }, proxied);
    const pawl = await proxied.open();
    const verify = async (accessToken: string, antiCsrfToken?: string) =>
      pawl.tokens.getSession(accessToken, antiCsrfToken, true, "x").then(
        () => "valid",
        (error: { code: string }) => error.code,
      );
    const restart = async (rules: Partial<Policy>) => {
      await proxied.restart(rules);
      await expect.poll(() => proxied.asked).toContain("GET /v1/revocations");
    };
    return { proxied, pawl, verify, restart };
  };
  const HOUR = 3_600_000;

  test.each([
    ["revoked after it", 10],
    ["revoked before it", 1],
  ])("a longer life of access tokens: a session %s stays refused for all of it", async (_, hours) => {
    const { proxied, pawl, verify, restart } = await begin({ accessTokenValidity: millis(HOUR) });
    const before = await pawl.tokens.createNewSession("u1");
    if (hours === 1) await proxied.core.engine.revokeSessions([before.session.handle]);
    await restart({ accessTokenValidity: millis(10 * HOUR) });
    const after = await pawl.tokens.createNewSession("u1");
    if (hours === 10) await proxied.core.engine.revokeSessions([after.session.handle]);
    const { accessToken, antiCsrfToken } = hours === 1 ? before : after;
    await expect.poll(() => verify(accessToken.token, antiCsrfToken)).toBe("UNAUTHORISED");
    for (let half = 1; half < 2 * hours; half++) {
      proxied.clock.advance("30m");
      expect(await verify(accessToken.token, antiCsrfToken)).toBe("UNAUTHORISED");
    }
    proxied.clock.advance("30m");
    expect(await verify(accessToken.token, antiCsrfToken)).toBe("TRY_REFRESH_TOKEN");
  });

  test("anti-CSRF, blacklisting and the reuse window, either way", async () => {
    const { proxied, pawl, verify, restart } = await begin({ enableAntiCsrf: false });
    await restart({ enableAntiCsrf: true, checkDatabase: true });
    const { accessToken, antiCsrfToken } = await pawl.tokens.createNewSession("u1");
    expect(await verify(accessToken.token, "wrong")).toBe("TRY_REFRESH_TOKEN");
    expect(await verify(accessToken.token, antiCsrfToken)).toBe("valid");
    expect(proxied.asked).toContain("POST /v1/sessions/verify");
    await restart({ enableAntiCsrf: false });
    expect(await verify(accessToken.token, "wrong")).toBe("valid");
    expect(proxied.asked).not.toContain("POST /v1/sessions/verify");
  });

  test("what was heard before it of sessions, revoked or changed, still counts where only anti-CSRF is another", async () => {
    const { proxied, pawl, verify, restart } = await begin({ enableAntiCsrf: true });
    const sessions = [
      await pawl.tokens.createNewSession("u1"),
      await pawl.tokens.createNewSession("u2"),
      await pawl.tokens.createNewSession("u3"),
    ] as const;
    const [ended, changed] = sessions;
    await proxied.core.engine.revokeSessions([ended.session.handle]);
    await proxied.core.engine.updatePayload(changed.session.handle, { role: "user" });
    const states = () =>
      Promise.all(sessions.map(({ accessToken, antiCsrfToken }) => verify(accessToken.token, antiCsrfToken)));
    await expect.poll(states).toEqual(["UNAUTHORISED", "TRY_REFRESH_TOKEN", "valid"]);
    await restart({ enableAntiCsrf: false });
    expect(await verify(sessions[2].accessToken.token, "wrong")).toBe("valid");
    expect(await states()).toEqual(["UNAUTHORISED", "TRY_REFRESH_TOKEN", "valid"]);
  });

  test("cookies", async () => {
    const { proxied, pawl } = await begin({});
    const cookies = coreConfig().cookies;
    await proxied.restart({}, { cookies: { ...cookies, refreshApiPath: "/elsewhere" } });
    await expect.poll(() => proxied.asked).toContain("GET /v1/revocations");
    expect((await pawl.tokens.createNewSession("u1")).refreshToken.cookiePath).toBe("/elsewhere");
  });
});

test("a feed that is silent counts as cut from the last that was heard of it", async () => {
  let now = 0;
  const { stream, heard } = await follow(
    (_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write('event: revoked\ndata: {"handle":"h","at":1}\n\n');
    },
    { now: () => now },
  );
  await expect.poll(() => heard).toEqual(["h"]);
  expect(stream.cutFor).toBe(0);
  now = 19_000;
  expect(stream.cutFor).toBe(0);
  now = 31_000;
  expect(stream.cutFor).toBe(31_000);
});
