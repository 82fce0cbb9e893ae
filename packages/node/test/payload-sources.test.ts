import { describe, expect, it, test, vi } from "vitest";
import { openEmbedded } from "@pawl/adapter-conformance";
import type { Exchange, PayloadOwner, Session } from "../src/index.js";
import { backends, benchOf } from "./backends.js";
import { TestBrowser } from "./browser.js";
import { schemaOf } from "./schema-of.js";

const HOUR = 3_600_000;

interface Role {
  readonly role: string;
  readonly team?: string;
}

/** Answers of `loadPayload`, the last one again and again, and what it was asked. */
const scripted = (...answers: readonly (() => unknown)[]) => {
  const asked: PayloadOwner[] = [];
  const loadPayload = ((owner: PayloadOwner) => {
    asked.push(owner);
    return (answers[asked.length - 1] ?? answers.at(-1))?.();
  }) as (owner: PayloadOwner) => Role | Promise<Role>;
  return { asked, loadPayload };
};

const say = (role: string) => (): Role => ({ role });
const fail = (): never => {
  throw new Error("the database is away");
};

/** Notes process warnings for a test, but for the one that says why requests are answered 503. */
const warnings = () => {
  const noted = vi.fn<typeof process.emitWarning>();
  const spy = vi.spyOn(process, "emitWarning").mockImplementation((warning: string | Error, how?: unknown) => {
    if ((how as { readonly code?: string } | undefined)?.code !== "PAWL_UNAVAILABLE") noted(warning, how as never);
  });
  return Object.assign(noted, { mockRestore: () => spy.mockRestore() });
};

describe.each(backends)("loadPayload, %s", (_, openBackend) => {
  const start = async (loadPayload: (owner: PayloadOwner) => Role | Promise<Role>, options = {}) => {
    const bench = await benchOf<Role>(openBackend, { loadPayload, ...options });
    const { pawl, browser } = bench;
    return {
      ...bench,
      login: (input = {}) =>
        browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice", ...input } as never)),
      role: async () => {
        const { result, error } = await browser.visit((exchange) => pawl.requireSession(exchange));
        return result?.payload.role ?? error?.code;
      },
    };
  };

  it("says the payload of a login that gives none, and of every refresh that makes new tokens", async () => {
    const { asked, loadPayload } = scripted(say("user"), say("admin"), say("admin"));
    const { clock, browser, login, role } = await start(loadPayload);
    expect((await login({ tenantId: "acme" })).result?.payload).toEqual({ role: "user" });
    const second = browser.copy();
    clock.advance(2 * HOUR);
    expect(await role()).toBe("admin");
    expect(await role()).toBe("admin");
    expect(second.cookies()).not.toEqual(browser.cookies());
    clock.advance(2 * HOUR);
    expect(await role()).toBe("admin");
    const owner = { userId: "alice", tenantId: "acme" };
    expect(asked).toEqual([
      { ...owner, payload: undefined },
      { ...owner, payload: { role: "user" } },
      { ...owner, payload: { role: "admin" } },
    ]);
  });

  it("is not asked by a login that gives one, nor for the repetition of an answer", async () => {
    const { asked, loadPayload } = scripted(say("admin"));
    const { clock, pawl, browser, login } = await start(loadPayload);
    expect((await login({ payload: { role: "user" } })).result?.payload).toEqual({ role: "user" });
    expect(asked).toEqual([]);
    const lost = browser.copy();
    clock.advance(2 * HOUR);
    await lost.visit((exchange) => pawl.refreshSession(exchange));
    expect(asked).toHaveLength(1);
    for (let repetition = 0; repetition < 3; repetition++) {
      clock.advance(5000);
      const { result } = await browser.copy().visit((exchange) => pawl.refreshSession(exchange));
      expect(result?.payload).toEqual({ role: "admin" });
    }
    expect(asked).toHaveLength(1);
  });

  it("is asked once for five refreshes at once", async () => {
    const { asked, loadPayload } = scripted(say("user"), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return say("admin")();
    });
    const { clock, browser, login, role } = await start(loadPayload);
    await login();
    clock.advance(2 * HOUR);
    expect(await Promise.all(Array.from({ length: 5 }, () => role()))).toEqual(
      Array.from({ length: 5 }, () => "admin"),
    );
    expect(asked).toHaveLength(2);
    expect(browser.cookies()).toHaveLength(2);
  });

  it("writes a difference without telling verifiers, and nothing where there is none", async () => {
    const { loadPayload } = scripted(
      () => ({ role: "user", team: "a" }),
      () => ({ team: "a", role: "user", nothing: undefined }),
      say("admin"),
    );
    const { clock, pawl, browser, login } = await start(loadPayload, { accessTokenValidity: undefined });
    const handle = (await login()).result?.handle ?? "";
    const version = async () => (await pawl.sessions.get(handle))?.payloadVersion;
    clock.advance(10 * 60_000);
    await browser.visit((exchange) => pawl.refreshSession(exchange));
    expect(await version()).toBe(0);
    const [, older = ""] = browser.cookies().find(([name]) => name.endsWith("access")) ?? [];
    clock.advance(10 * 60_000);
    await browser.visit((exchange) => pawl.refreshSession(exchange));
    expect(await version()).toBe(1);
    expect((await pawl.sessions.get(handle))?.payload).toEqual({ role: "admin" });
    expect((await pawl.tokens.verify(older)).payload).toEqual({ role: "user", team: "a" });
  });

  it.each([
    ["throws", fail],
    ["throws a TypeError of its own", () => (undefined as never as { role: Role }).role],
    ["rejects", () => Promise.reject(new Error("the database is away"))],
    ["says nothing", () => undefined],
    ["says null", () => null],
    ["says what is no payload", () => "admin"],
    ["says what the schema refuses", say("root")],
    ["says what JSON does not know", () => ({ role: "admin", at: 1n })],
    ["says more than a cookie holds", say("x".repeat(4000))],
  ])("that %s leaves the payload as it is, refuses a login, and says so", async (what, answer) => {
    const warned = warnings();
    const { loadPayload } = scripted(answer);
    const payload = schemaOf<Role>((value) => (value.role === "root" ? "is no role" : value));
    const { clock, pawl, login, role } = await start(loadPayload, { payload });
    const refused = await login().then(
      ({ error }) => error?.code,
      (error: unknown) => (error as Error).name,
    );
    // What is wrong with a payload is the application's to mend; what it cannot say now may be said later.
    const isAway = ["throws", "throws a TypeError of its own", "rejects"].includes(what);
    expect([what, refused]).toEqual([what, isAway ? "UNKNOWN" : "TypeError"]);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect(warned).not.toHaveBeenCalled();

    await login({ payload: { role: "user" } });
    for (let round = 0; round < 2; round++) {
      clock.advance(2 * HOUR);
      expect([what, await role()]).toEqual([what, "user"]);
    }
    expect(warned).toHaveBeenCalledTimes(2);
    warned.mockRestore();
  });

  it("that says null gives no login an empty payload, which could allow more", async () => {
    const { login } = await start((() => null) as never);
    for (const input of [{}, { payload: null }]) await expect(login(input)).rejects.toThrow(TypeError);
  });

  it("that never answers holds a refresh up for two seconds, and a login too", async () => {
    const warned = warnings();
    const { loadPayload } = scripted(() => new Promise<never>(() => undefined));
    const { clock, login, role } = await start(loadPayload);
    await login({ payload: { role: "user" } });
    clock.advance(2 * HOUR);
    const began = performance.now();
    const [refreshed, refused] = await Promise.all([role(), login()]);
    expect(refreshed).toBe("user");
    expect([refused.error?.code, refused.status]).toEqual(["UNKNOWN", 503]);
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(String(warned.mock.calls[0]?.[0])).toContain("loadPayload did not answer within 2000 ms");
    warned.mockRestore();
  });

  // The clock goes on as if the wait had been by it: an answer later than a sixth of the window would not be written.
  it.each([
    [1000, 66],
    [5000, 333],
    [15_000, 1000],
    [30_000, 2000],
    [300_000, 2000],
  ])(
    "that never answers, with a window of %i ms, holds a refresh up for %i ms, and its answer is written",
    async (reuseWindow, most) => {
      const never = () => new Promise<never>(() => undefined);
      const bench = await benchOf<Role>(openBackend, {}, { reuseWindow });
      const { clock, pawl, browser, deploy } = bench;
      await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice", payload: { role: "user" } }));
      const narrower = schemaOf<Role>((value) => (value.role === "admin" ? value : "is no role"));
      const later = deploy<Role>({ payload: narrower, loadPayload: never, migratePayload: never });
      const waits: number[] = [];
      const warned = vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
        const [, wait] = /Payload did not answer within (\d+) ms/.exec(String(warning)) ?? [];
        if (wait === undefined) return;
        waits.push(Number(wait));
        clock.advance(Number(wait));
      });
      clock.advance(2 * HOUR);
      const { error, lines } = await browser.visit((exchange) => later.refreshSession(exchange));
      warned.mockRestore();
      expect([error?.code, lines, waits]).toEqual([undefined, 2, [most, most]]);
    },
  );

  it("gives way to whoever changes the payload meanwhile", async () => {
    let handle = "";
    const { loadPayload } = scripted(say("user"), async () => {
      await pawl.sessions.updatePayload(handle, { role: "banned" });
      return say("admin")();
    });
    const { clock, pawl, login, role } = await start(loadPayload);
    handle = (await login()).result?.handle ?? "";
    clock.advance(2 * HOUR);
    expect(await role()).toBe("banned");
    expect(await role()).toBe("banned");
  });

  it("finds the session ended that ends meanwhile", async () => {
    const { loadPayload } = scripted(say("user"), async () => {
      await pawl.sessions.endUser("alice");
      return say("admin")();
    });
    const { clock, pawl, browser, login, role } = await start(loadPayload);
    await login();
    clock.advance(2 * HOUR);
    expect([await role(), browser.cookies()]).toEqual(["UNAUTHORISED", []]);
  });

  it("is not written while the store is away: the refresh stands, and the next one writes it", async () => {
    const warned = warnings();
    const { loadPayload } = scripted(
      say("user"),
      () => {
        backend.isDown = true;
        return say("admin")();
      },
      say("admin"),
    );
    const { backend, clock, login, role } = await start(loadPayload);
    await login();
    clock.advance(2 * HOUR);
    expect(await role()).toBe("user");
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
    backend.isDown = false;
    clock.advance(2 * HOUR);
    expect(await role()).toBe("admin");
  });
});

describe("a stored payload that does not fit the schema any more", () => {
  const narrower = schemaOf<Role>((value) => (["admin", "user"].includes(value.role) ? value : "is no role"));
  const asynchronous = schemaOf<Role>(async (value) => (value.role === "editor" ? "is no role" : value));
  const throwing = schemaOf<Role>((value) => {
    if (value.role === "editor") throw new TypeError("cannot read properties of undefined");
    return value;
  });
  const migratePayload = (old: unknown): Role => ({ role: (old as Role).role === "editor" ? "user" : "admin" });

  const deployed = async (options: object, backend = openEmbedded) => {
    const bench = await benchOf<Role>(backend, { headerMode: true });
    await bench.browser.visit((exchange) =>
      bench.pawl.createSession(exchange, { userId: "alice", payload: { role: "editor" } }),
    );
    const pawl = bench.deploy<Role>({ headerMode: true, ...options });
    const ask = async (of = bench.browser) => {
      const { result, error, lines } = await of.visit(
        async (exchange) => (await pawl.requireSession(exchange)).payload.role,
      );
      return [result ?? error?.code, lines];
    };
    return { ...bench, pawl, ask };
  };

  it.each([
    ["migratePayload", { payload: narrower, migratePayload }],
    ["loadPayload", { payload: narrower, loadPayload: say("user") }],
    ["migratePayload, an asynchronous schema", { payload: asynchronous, migratePayload }],
    ["migratePayload, a schema that throws", { payload: throwing, migratePayload }],
    ["both, of which one fails", { payload: narrower, migratePayload, loadPayload: fail }],
    [
      "a migratePayload that takes a while",
      { payload: narrower, migratePayload: async (old: unknown) => migratePayload(old) },
    ],
  ])("is replaced in place by %s", async (name, options) => {
    const warned = warnings();
    const { browser, ask, pawl } = await deployed(options);
    const other = browser.copy();
    expect([name, await ask()]).toEqual([name, ["user", 2]]);
    expect([name, await ask()]).toEqual([name, ["user", 0]]);
    // What was not announced is good until it expires, but does not fit: it is refreshed, by a repetition now.
    expect([name, await ask(other)]).toEqual([name, ["user", 2]]);
    expect((await pawl.sessions.list("alice")).items).toMatchObject([{ payload: { role: "user" }, payloadVersion: 1 }]);
    warned.mockRestore();
  });

  test.each(backends)("is replaced for two nodes at once, %s", async (_, openBackend) => {
    const { deploy, browser, pawl, ask } = await deployed({ payload: narrower, migratePayload }, openBackend);
    const second = deploy<Role>({ payload: narrower, migratePayload, headerMode: true });
    const other = browser.copy();
    const [one, two] = await Promise.all([
      ask(),
      other.visit((exchange) => second.requireSession(exchange)).then(({ result }) => result?.payload),
    ]);
    expect([one, two]).toEqual([["user", 2], { role: "user" }]);
    expect((await pawl.sessions.list("alice")).items).toMatchObject([{ payload: { role: "user" } }]);
  });

  it("asks clients that refresh themselves to do so, and pages that are rendered", async () => {
    const { pawl, browser } = await deployed({ payload: narrower, migratePayload });
    const [access = "", refresh = ""] = browser.cookies().map(([, value]) => value);
    await expect(pawl.tokens.verify(access)).rejects.toMatchObject({ code: "TRY_REFRESH" });
    const bearer = { headers: { authorization: `Bearer ${access}` } };
    const { error, lines } = await browser.copy().visit((exchange) => pawl.requireSession(exchange), bearer);
    expect([error?.code, lines]).toEqual(["TRY_REFRESH", 0]);
    expect((await browser.copy().visit((exchange) => pawl.readSession(exchange))).result).toEqual({
      status: "try_refresh",
    });
    expect((await pawl.tokens.refresh(refresh)).payload).toEqual({ role: "user" });
  });

  it("is no reason to take the access token from a browser that shows it alone", async () => {
    const { pawl, browser } = await deployed({ payload: narrower, migratePayload });
    const [access = ""] = browser.cookies().map((cookie) => cookie.join("="));
    const alone = new TestBrowser();
    alone.jar.receive("app.example.com", [`${access}; Path=/; Secure`]);
    const { error, lines } = await alone.visit((exchange) => pawl.requireSession(exchange));
    expect([error?.code, lines]).toEqual(["TRY_REFRESH", 0]);
  });

  const hopeless = [
    ["nothing to replace it", { payload: narrower }, 0],
    ["a migratePayload that fails", { payload: narrower, migratePayload: fail }, 2],
    ["a migratePayload that gives what does not fit", { payload: narrower, migratePayload: say("root") }, 2],
    ["a loadPayload that fails", { payload: narrower, loadPayload: fail }, 2],
    ["a schema that always throws", { payload: schemaOf<Role>(fail), migratePayload }, 2],
    ["a schema that always rejects", { payload: schemaOf<Role>(async () => fail()), migratePayload }, 2],
  ] as const;

  it.each(hopeless)("is unknown with %s: no loop, no logout, a warning", async (name, options, lines) => {
    const warned = warnings();
    const { clock, browser, pawl, ask } = await deployed(options);
    for (let round = 0; round < 3; round++) {
      expect([name, await ask()]).toEqual([name, ["UNKNOWN", lines]]);
      clock.advance(60_000);
    }
    const where = ({ payload }: { readonly payload: Role }): boolean => payload.role !== "banned";
    for (const visit of [
      (exchange) => pawl.requireSession(exchange, { where }),
      async (exchange) => (await pawl.refreshSession(exchange)).payload,
      async (exchange) => JSON.stringify(await pawl.readSession(exchange)),
    ] satisfies ((exchange: Exchange) => Promise<unknown>)[]) {
      // As a page that is rendered comes back from the refresh.
      const { error, status } = await browser.visit<unknown>(visit, { path: `/?pawl-refreshed=${Date.now()}` });
      expect([name, String(visit), error?.code, status]).toEqual([name, String(visit), "UNKNOWN", 503]);
    }
    const codes = warned.mock.calls.map(([, how]) => (how as { readonly code?: string } | undefined)?.code);
    expect(codes.filter((code) => code === "PAWL_PAYLOAD_MISFIT")).toHaveLength(1);
    warned.mockRestore();
    expect((await pawl.sessions.list("alice")).items).toHaveLength(1);
  });
});

describe.each(backends)("a payload that fits no schema, %s", (_, openBackend) => {
  const never = schemaOf<Role>(() => "is no role");
  const nothing = { payload: never };
  const migrating = { payload: never, migratePayload: fail };
  const loading = { payload: never, loadPayload: fail };
  const throwing = { payload: schemaOf<Role>(fail), migratePayload: fail };
  const rejecting = { payload: schemaOf<Role>(async () => fail()) };

  /** Alice in two browsers and a client with its tokens in headers, at an application whose schema has changed since. */
  const deployed = async (options: object) => {
    const bench = await benchOf<Role>(openBackend, { headerMode: true });
    const { clock, browser } = bench;
    const login = (of: TestBrowser) =>
      of.visit((exchange) => bench.pawl.createSession(exchange, { userId: "alice", payload: { role: "editor" } }));
    await login(new TestBrowser());
    await login(browser);
    const tokens = await bench.pawl.tokens.create({ userId: "alice", payload: { role: "editor" } });
    const pawl = bench.deploy<Role>({ headerMode: true, ...options });
    const left = async () => (await bench.pawl.sessions.list("alice")).items.length;
    return { clock, browser, tokens, pawl, left };
  };

  describe.each([
    ["nothing to mend it", nothing],
    ["a migratePayload that fails", migrating],
    ["a loadPayload that fails", loading],
    ["a schema that throws", throwing],
    ["a schema that rejects", rejecting],
    ["a refresh cookie of another path", { ...migrating, cookies: { refreshPath: "/session" } }],
  ])("with %s", (_name, options) => {
    it.each([
      ["by a request with a good access token", 0],
      ["by one whose access token has run out", 2 * HOUR],
    ])("keeps nobody from signing out, %s", async (_when, wait) => {
      const warned = warnings();
      const { clock, browser, pawl, left } = await deployed(options);
      clock.advance(wait);
      const path = "cookies" in options && wait > 0 ? "TRY_REFRESH" : undefined;
      const { error } = await browser.visit((exchange) => pawl.signOut(exchange));
      expect([error?.code, await left()]).toEqual(path === undefined ? [undefined, 2] : [path, 3]);
      if (path === undefined) expect(browser.cookies()).toEqual([]);
      warned.mockRestore();
    });

    it("keeps no client with its tokens in headers from it", async () => {
      const warned = warnings();
      const { tokens, pawl, left } = await deployed(options);
      const headers = { authorization: `Bearer ${tokens.accessToken}` };
      const { error } = await new TestBrowser().visit((exchange) => pawl.signOut(exchange), { headers });
      expect([error?.code, await left()]).toEqual([undefined, 2]);
      expect(await pawl.sessions.endUser("alice")).toBe(2);
      warned.mockRestore();
    });
  });

  it.each([
    ["end", (session: Session<Role>) => session.end(), 2],
    ["endOthers", (session: Session<Role>) => session.endOthers(), 1],
    ["list", (session: Session<Role>) => session.list(), 3],
    ["getData", (session: Session<Role>) => session.getData(), 3],
    ["setData", (session: Session<Role>) => session.setData({}), 3],
    ["stepUp", (session: Session<Role>) => session.stepUp({ methods: ["otp"] }), 3],
    ["actAsSelf", (session: Session<Role>) => session.actAsSelf(), 3],
  ] satisfies readonly (readonly [string, (session: Session<Role>) => Promise<unknown>, number])[])(
    "does not keep a session from %s",
    async (name, work, remaining) => {
      const warned = warnings();
      for (const options of [nothing, throwing, rejecting, loading]) {
        const { browser, pawl, left } = await deployed(options);
        const { error, result } = await browser.visit(async (exchange) => {
          const session = await pawl.requireSession(exchange);
          await work(session);
          return [session.userId, session.handle];
        });
        expect([name, error?.code, result?.[0], await left()]).toEqual([name, undefined, "alice", remaining]);
      }
      warned.mockRestore();
    },
  );

  it("is told by tokens to whoever reads it", async () => {
    const warned = warnings();
    const { tokens, pawl } = await deployed(nothing);
    for (const session of [
      await pawl.tokens.verify(tokens.accessToken),
      await pawl.tokens.refresh(tokens.refreshToken),
    ]) {
      expect([session.userId, session.handle]).toEqual(["alice", tokens.handle]);
      expect(() => session.payload).toThrow("does not fit the schema");
      expect(() => JSON.stringify(session)).toThrow("does not fit the schema");
    }
    warned.mockRestore();
  });
});

test("migratePayload without a schema is refused: everything fits then", async () => {
  await expect(benchOf<Role>(openEmbedded, { migratePayload: say("user") })).rejects.toThrow("migratePayload needs");
});

test.each(["loadPayload", "migratePayload"])("%s has to be a function", async (name) => {
  await expect(benchOf(openEmbedded, { [name]: "x" })).rejects.toThrow(`${name} must be a function`);
});
