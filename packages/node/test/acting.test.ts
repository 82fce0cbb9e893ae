import { describe, expect, it, vi } from "vitest";
import type { ActAs, Pawl, Session } from "../src/index.js";
import { backends, benchOf } from "./backends.js";
import { TestBrowser } from "./browser.js";
import { HOST, HOUR } from "./site.js";

const MINUTE = 60_000;

interface Role {
  readonly role: "admin" | "user";
}

const bob = { userId: "bob", payload: { role: "user" }, reason: "ticket 4711" } as const satisfies ActAs<Role, object>;

/** Does something with the session of a browser. */
const within = <Result>(
  { pawl, browser }: { readonly pawl: Pawl<Role>; readonly browser: TestBrowser },
  work: (session: Session<Role>) => Promise<Result>,
) => browser.visit(async (exchange) => work(await pawl.requireSession(exchange)));

const whoIs = async (bench: { readonly pawl: Pawl<Role>; readonly browser: TestBrowser }) => {
  const { result, error } = await within(bench, async ({ userId, payload, actor }) => [
    userId,
    payload.role,
    actor?.userId,
  ]);
  return result ?? error?.code;
};

describe.each(backends)("acting for another user, %s", (_, openBackend) => {
  const start = async (options = {}, tenantId?: string) => {
    const bench = await benchOf<Role>(openBackend, options);
    const login = await bench.browser.visit((exchange) =>
      bench.pawl.createSession(exchange, {
        userId: "alice",
        payload: { role: "admin" },
        data: { notes: "her own" },
        auth: { methods: ["hwk"] },
        tenantId,
      }),
    );
    return { ...bench, handle: login.result?.handle ?? "" };
  };

  it("is of the same session: the user with a payload and data of their own, the administrator's login and refresh token", async () => {
    const bench = await start({}, "acme");
    const { pawl, clock, handle } = bench;
    const until = clock.now() + 15 * MINUTE;
    const { result, lines } = await within(bench, async (session) => {
      await session.actAs({ ...bob, data: { cart: 3 } });
      expect(await session.getData()).toEqual({ cart: 3 });
      await session.setData({ cart: 4 });
      expect(await session.getData()).toEqual({ cart: 4 });
      await session.updatePayload({ role: "admin" });
      return session;
    });
    expect(lines).toBe(1);
    expect(result).toMatchObject({
      userId: "bob",
      tenantId: "acme",
      handle,
      payload: { role: "admin" },
      actor: { userId: "alice" },
      auth: { methods: ["hwk"] },
    });
    expect(result?.expiresAt).toBeLessThanOrEqual(until);
    expect(await whoIs(bench)).toEqual(["bob", "admin", "alice"]);

    // To others it is hers, and says for whom she acts.
    const [listed] = (await pawl.sessions.list("alice", { tenantId: "acme" })).items;
    expect(listed).toMatchObject({
      userId: "alice",
      payload: { role: "admin" },
      data: { notes: "her own" },
      acting: { userId: "bob", reason: "ticket 4711" },
    });
    expect((await pawl.sessions.list("bob", { tenantId: "acme" })).items).toEqual([]);

    await within(bench, (session) => session.actAsSelf());
    const own = await within(bench, async (session) => [session.userId, await session.getData(), session.actor]);
    expect(own.result).toEqual(["alice", { notes: "her own" }, undefined]);
    expect((await pawl.sessions.explain(handle)).events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["acting_started", "acting_ended"]),
    );
  });

  it("shows what it was given of the user to nobody else", async () => {
    const bench = await start();
    const { pawl, handle, clock } = bench;
    const until = Math.floor((clock.now() + 15 * MINUTE) / 1000) * 1000;
    const given = { payload: { role: "admin", canary: 1 }, data: { canary: 2 } };
    await within(bench, (session) => session.actAs({ ...bob, ...given } as never));
    const lists = [(await pawl.sessions.list("alice")).items, [await pawl.sessions.get(handle)]];
    for (const [one] of lists) {
      expect(one).toMatchObject({ userId: "alice", payload: { role: "admin" }, data: { notes: "her own" } });
      expect(one?.acting).toEqual({ userId: "bob", reason: "ticket 4711", until });
    }
    expect(JSON.stringify([lists, await pawl.sessions.explain(handle)])).not.toContain("canary");
  });

  it("ends by itself, also for who holds its access token, and with the administrator's session alone", async () => {
    const bench = await start();
    const { clock, pawl } = bench;
    await within(bench, (session) => session.actAs({ ...bob, for: "5m" }));
    const [, token = ""] = bench.browser.cookies().find(([name]) => name.endsWith("access")) ?? [];
    await pawl.sessions.endUser("bob");
    clock.advance(4 * MINUTE);
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    expect(await pawl.tokens.verify(token)).toMatchObject({ userId: "bob", actor: { userId: "alice" } });
    clock.advance(MINUTE);
    await expect(pawl.tokens.verify(token)).rejects.toMatchObject({ code: "TRY_REFRESH" });
    expect(await whoIs(bench)).toEqual(["alice", "admin", undefined]);

    await within(bench, (session) => session.actAs(bob));
    await pawl.sessions.endUser("alice");
    expect(await whoIs(bench)).toBe("UNAUTHORISED");
  });

  it("is refused for what would outlast it, or needs the administrator", async () => {
    const bench = await start();
    await within(bench, (session) => session.actAs(bob));
    for (const work of [
      (session) => session.endOthers(),
      (session) => session.list(),
      (session) => session.stepUp({ methods: ["otp"] }),
      (session) => session.actAs({ ...bob, userId: "carol" }),
      (session) => session.actAs({ ...bob, userId: "alice" }),
    ] satisfies ((session: Session<Role>) => Promise<unknown>)[]) {
      const { error, status, lines } = await within<unknown>(bench, work);
      expect([String(work), error?.code, status, lines]).toEqual([String(work), "FORBIDDEN", 403, 0]);
    }
    const { pawl, browser } = bench;
    for (const conditions of [{ actor: false }, { maxAge: "1ms" }, { level: "aal2" }]) {
      bench.clock.advance(1000);
      const { error } = await browser.visit((exchange) => pawl.requireSession(exchange, conditions));
      expect([conditions, error?.code]).toEqual([conditions, "FORBIDDEN"]);
    }
    const login = await browser.visit((exchange) => pawl.createSession(exchange, bob));
    expect([login.error?.code, login.lines]).toEqual(["FORBIDDEN", 0]);
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    expect((await pawl.sessions.list("bob")).items).toEqual([]);
  });

  it.each([
    [{ ...bob, userId: "alice" }, "oneself"],
    [{ ...bob, userId: "" }, "nobody"],
    [{ ...bob, userId: undefined }, "nobody"],
    [{ ...bob, userId: "b\0b" }, "an id that no store keeps"],
    [{ ...bob, tenantId: "acme" }, "another tenant"],
    [{ ...bob, reason: "" }, "no reason"],
    [{ ...bob, reason: undefined }, "no reason"],
    [{ ...bob, payload: undefined }, "no payload"],
    [{ ...bob, payload: { sub: "carol" } }, "a payload with claims of the token"],
    [{ ...bob, payload: { text: "x".repeat(4000) } }, "a payload beyond the cookie"],
    [{ ...bob, for: "61m" }, "longer than is allowed"],
    [{ ...bob, for: 0 }, "no time"],
    [{ ...bob, until: "1h" }, "a name too many"],
  ])("refuses %o: %s", async (user, _why) => {
    const bench = await start();
    await expect(within(bench, (session) => session.actAs(user as never))).rejects.toBeInstanceOf(TypeError);
    expect(await whoIs(bench)).toEqual(["alice", "admin", undefined]);
  });

  it.each(["began", "was refreshed"])(
    "begins no session for the user where it %s in the same request",
    async (what) => {
      const bench = await start();
      const { pawl, browser, handle } = bench;
      if (what === "was refreshed") {
        await within(bench, (session) => session.actAs(bob));
        await pawl.sessions.updatePayload(handle, { role: "admin" });
      }
      const { error } = await browser.visit(async (exchange) => {
        const session = await pawl.requireSession(exchange);
        if (what === "began") await session.actAs(bob);
        await pawl.createSession(exchange, { userId: session.userId, payload: session.payload });
      });
      expect(error?.code).toBe("FORBIDDEN");
      expect((await pawl.sessions.list("bob")).items).toEqual([]);
    },
  );

  it.each([
    ["an access token that has run out, and a refresh token", "older refresh", 0],
    ["an access token that has run out, alone", "older", 0],
    ["an access token of before, alone", "own", 0],
    ["a refresh token alone", "refresh", 0],
    ["an access token that has run out, in a header", "header", 0],
    ["an access token that has run out, and a refresh token, long after it has come", "older refresh", MINUTE],
  ])("begins no session with what is left of it: %s", async (_what, shown, wait) => {
    const rules = { accessTokenValidity: 5 * MINUTE };
    const { pawl, clock, browser } = await benchOf<Role>(openBackend, { headerMode: true }, rules);
    const alice = { userId: "alice", payload: { role: "admin" } } as const;
    await browser.visit((exchange) => pawl.createSession(exchange, alice));
    const cookie = (kind: string) => browser.cookies().find(([name]) => name.endsWith(kind)) ?? ["", ""];
    const [own, refresh] = [cookie("access"), cookie("refresh")];
    await within({ pawl, browser }, (session) => session.actAs({ ...bob, for: "1h" }));
    const older = cookie("access");
    clock.advance(10 * MINUTE);

    const visit = () => {
      const other = new TestBrowser();
      for (const [name, [key, value]] of Object.entries({ own, older, refresh }))
        if (shown.split(" ").includes(name)) other.jar.receive(HOST, [`${key}=${value}; Path=/; Secure`]);
      const headers = shown === "header" ? { authorization: `Bearer ${older[1]}` } : {};
      return other.visit(
        (exchange) => {
          exchange.seenAt(clock.now() - wait);
          return pawl.createSession(exchange, bob);
        },
        { headers },
      );
    };
    const { error, lines } = await visit();
    expect([error?.code, lines]).toEqual(["FORBIDDEN", 0]);
    expect((await pawl.sessions.list("bob")).items).toEqual([]);
    expect((await pawl.sessions.list("alice")).items).toMatchObject([{ acting: { userId: "bob" } }]);

    clock.advance(2 * HOUR);
    expect((await visit()).result?.userId).toBe("bob");
    const left = shown === "header" ? 1 : 0;
    await expect.poll(async () => (await pawl.sessions.list("alice")).items.length).toBe(left);
  });

  it("lets its owner log in in the request that ends it", async () => {
    const bench = await start();
    const { pawl, browser } = bench;
    await within(bench, (session) => session.actAs(bob));
    const { result } = await browser.visit(async (exchange) => {
      const session = await pawl.requireSession(exchange);
      await session.actAsSelf();
      return pawl.createSession(exchange, { userId: session.userId, payload: session.payload });
    });
    expect([result?.userId, result?.actor]).toEqual(["alice", undefined]);
  });

  it("is unknown while nothing is known of the session, and neither begins nor ends", async () => {
    const bench = await start();
    const works: readonly ((session: Session<Role>) => Promise<unknown>)[] = [
      (session) => session.getData(),
      (session) => session.setData({ cart: 1 }),
      (session) => session.updatePayload({ role: "user" }),
      (session) => session.actAs(bob),
      (session) => session.actAsSelf(),
    ];
    const tryAll = async () => {
      bench.backend.isDown = true;
      for (const work of works) {
        const { error, lines } = await within(bench, work);
        const isRefused = error?.code === "FORBIDDEN" && String(work).includes("actAs(");
        expect([String(work), isRefused ? "UNKNOWN" : error?.code, lines]).toEqual([String(work), "UNKNOWN", 0]);
      }
      bench.backend.isDown = false;
    };
    await tryAll();
    expect(await whoIs(bench)).toEqual(["alice", "admin", undefined]);
    await within(bench, (session) => session.actAs(bob));
    await tryAll();
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
  });

  it("cannot be begun by somebody whose right to it was just taken away", async () => {
    const bench = await start();
    const { error, lines } = await within(bench, async (session) => {
      // What a route decides by is old by now.
      await bench.pawl.sessions.updatePayload(session.handle, { role: "user" });
      await session.actAs(bob);
    });
    expect([error?.code, lines]).toEqual(["TRY_REFRESH", 0]);
    expect(await whoIs(bench)).toEqual(["alice", "user", undefined]);
  });

  it("ends when the payload of who acts is changed from outside, and goes on when that is only written again", async () => {
    const bench = await start();
    const { pawl, handle, clock } = bench;
    await within(bench, (session) => session.actAs(bob));
    expect(await pawl.sessions.updatePayload(handle, { role: "admin" })).toBe(true);
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    const [, token = ""] = bench.browser.cookies().find(([name]) => name.endsWith("access")) ?? [];
    clock.advance(MINUTE);
    expect(await pawl.sessions.updatePayload(handle, { role: "user" })).toBe(true);
    await expect(pawl.tokens.verify(token)).rejects.toMatchObject({ code: "TRY_REFRESH" });
    expect(await whoIs(bench)).toEqual(["alice", "user", undefined]);
    const { events } = await pawl.sessions.explain(handle);
    expect(events.at(-1)).toMatchObject({ at: clock.now(), detail: { userId: "bob", end: "payload_changed" } });
  });

  it("is over for a request that began while it lasted", async () => {
    const bench = await start();
    await within(bench, (session) => session.actAs(bob));
    const other = bench.browser.copy();
    for (const work of [
      (session) => session.getData(),
      (session) => session.setData({ cart: 1 }),
      (session) => session.updatePayload({ role: "admin" }),
    ] satisfies ((session: Session<Role>) => Promise<unknown>)[]) {
      const held = await within(bench, async (session) => {
        await other.visit(async (exchange) => (await bench.pawl.requireSession(exchange)).actAsSelf());
        return work(session);
      });
      expect([String(work), held.error?.code]).toEqual([String(work), "TRY_REFRESH"]);
      expect(await whoIs(bench)).toEqual(["alice", "admin", undefined]);
      await within(bench, (session) => session.actAs(bob));
      await other.visit((exchange) => bench.pawl.requireSession(exchange));
    }
    expect((await bench.pawl.sessions.get(bench.handle))?.data).toEqual({ notes: "her own" });
  });
});

describe.each(backends)("acting where the application loads payloads, %s", (_, openBackend) => {
  const start = async (roleOf: (userId: string) => Role["role"] | Promise<Role["role"]>) => {
    const asked: unknown[] = [];
    const bench = await benchOf<Role>(openBackend, {
      loadPayload: async ({ userId, payload }) => {
        asked.push([userId, payload]);
        return { role: await roleOf(userId) };
      },
    });
    const { pawl, browser } = bench;
    const login = await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" } as never));
    await within(bench, (session) => session.actAs({ userId: "bob", reason: "ticket 4711", for: "1h" } as never));
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    asked.length = 0;
    const refresh = (of = browser) => {
      bench.clock.advance(MINUTE);
      return of.visit((exchange) => pawl.refreshSession(exchange));
    };
    return { ...bench, asked, refresh, handle: login.result?.handle ?? "" };
  };
  const ofAlice = ["alice", { role: "admin" }];

  it("asks about who acts, and leaves the user's payload as it was when that began", async () => {
    let ofBob: Role["role"] = "user";
    const bench = await start((userId) => (userId === "alice" ? "admin" : ofBob));
    ofBob = "admin";
    await bench.refresh();
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    expect(bench.asked).toEqual([ofAlice]);
  });

  it("ends with the refresh that finds another payload of who acts, for every tab", async () => {
    let role: Role["role"] = "admin";
    const bench = await start((userId) => (userId === "alice" ? role : "user"));
    const [, token = ""] = bench.browser.cookies().find(([name]) => name.endsWith("access")) ?? [];
    const tab = bench.browser.copy();
    role = "user";
    const { result, lines } = await bench.refresh();
    expect([result?.userId, result?.payload, result?.actor, lines]).toEqual(["alice", { role }, undefined, 2]);
    expect(await whoIs(bench)).toEqual(["alice", "user", undefined]);
    await expect(bench.pawl.tokens.verify(token)).rejects.toMatchObject({ code: "TRY_REFRESH" });
    expect(await whoIs({ ...bench, browser: tab })).toEqual(["alice", "user", undefined]);
    expect(bench.asked).toEqual([ofAlice]);
    const { events, summary } = await bench.pawl.sessions.explain(bench.handle);
    expect(events.at(-1)).toMatchObject({ type: "acting_ended", detail: { end: "payload_changed" } });
    expect(summary).toContain("when the payload of the user alice changed");
  });

  it("asks once more where somebody changes the session meanwhile", async () => {
    const isAlice = (userId: string): boolean => userId === "alice";
    let meanwhile: (() => Promise<unknown>) | undefined;
    let role: Role["role"] = "admin";
    const bench = await start(async (userId) => {
      if (isAlice(userId)) await meanwhile?.();
      return isAlice(userId) ? role : "user";
    });
    const tab = bench.browser.copy();
    role = "user";
    meanwhile = async () => {
      meanwhile = undefined;
      await within({ ...bench, browser: tab }, (session) => session.updatePayload({ role: "admin" }));
    };
    await bench.refresh();
    expect(bench.asked).toEqual([ofAlice, ofAlice]);
    expect(await whoIs(bench)).toEqual(["alice", "user", undefined]);
  });

  it("goes on while the application cannot say, which is a warning", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    let isAway = false;
    const bench = await start((userId) => {
      if (isAway) return Promise.reject(new Error("the database is away"));
      return userId === "alice" ? "admin" : "user";
    });
    isAway = true;
    await bench.refresh();
    expect(await whoIs(bench)).toEqual(["bob", "user", "alice"]);
    expect(String(warned.mock.calls[0]?.[0])).toContain("the database is away");
    warned.mockRestore();
  });
});
