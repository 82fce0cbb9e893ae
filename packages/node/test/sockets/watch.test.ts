import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { backends, benchOf } from "../backends.js";
import { insideOf } from "../../src/pawl.js";
import type { ChangedSession } from "../../src/sockets/binding.js";
import { Endings } from "../../src/sockets/endings.js";
import type { BindableSession } from "../../src/sockets/watch.js";
import { HOUR, pawlOf, watchOf } from "./watching.js";

const MINUTE = 60_000;

describe.each(backends)("sockets of sessions %s", (_name, openBackend) => {
  it("live on when the access token has run out, and are asked for together, once in its lifetime", async () => {
    const { clock, pawl } = await benchOf(openBackend);
    const { watch, asked, bind } = await watchOf(pawl);
    const logins: BindableSession[] = [];
    while (logins.length < 1200)
      logins.push(...(await Promise.all(Array.from({ length: 50 }, () => pawl.tokens.create({ userId: "alice" })))));
    const sockets = [...logins, logins[0]!].map((login) => bind(login));
    await watch.round();
    expect(asked).toEqual([]);
    for (let hours = 1; hours < 5; hours += 1) {
      clock.advance(HOUR);
      await watch.round();
      await watch.round();
      expect(asked.splice(0)).toEqual([500, 500, 200]);
    }
    expect(sockets.every(({ ends }) => ends.length === 0)).toBe(true);
    await pawl.sessions.end([logins[0]!.handle, logins[1199]!.handle]);
    const ended = [{ code: 4401, reason: "revoked" }];
    await expect.poll(() => sockets.flatMap(({ ends }) => ends).length, { timeout: 10_000 }).toBe(3);
    expect([sockets[0], sockets[1199], sockets[1200]].map((socket) => socket!.ends)).toEqual([ended, ended, ended]);
  });

  it("end with a session that nobody uses, though they are open, and not before", async () => {
    const { clock, pawl } = await benchOf(openBackend, {}, { idleTimeout: 30 * MINUTE });
    const { watch, bind } = await watchOf(pawl);
    const { ends } = bind(await pawl.tokens.create({ userId: "alice" }));
    for (let minutes = 1; minutes < 30; minutes += 1) {
      clock.advance(MINUTE);
      await watch.round();
    }
    expect(ends).toEqual([]);
    clock.advance(MINUTE);
    await watch.round();
    await expect.poll(() => ends).toEqual([{ code: 4401, reason: "idle" }]);
  });

  it("go on with a session that is used by another, or by touch", async () => {
    const { clock, pawl } = await benchOf(openBackend, {}, { idleTimeout: 30 * MINUTE });
    const { watch, bind, touch } = await watchOf(pawl);
    let used = await pawl.tokens.create({ userId: "alice" });
    const touched = await pawl.tokens.create({ userId: "bob" });
    const sockets = [bind(used), bind(touched)];
    const lastUse = async () => (await pawl.sessions.get(touched.handle))?.lastActiveAt;
    for (let round = 0; round < 6; round += 1) {
      clock.advance(20 * MINUTE);
      used = await pawl.tokens.refresh(used.refreshToken);
      touch(touched);
      await expect.poll(lastUse).toBe(clock.now());
      await watch.round();
    }
    expect(sockets.flatMap(({ ends }) => ends)).toEqual([]);
    clock.advance(30 * MINUTE);
    await watch.round();
    await expect.poll(() => sockets.map(({ ends }) => ends.length)).toEqual([1, 1]);
  });

  it("stay open while nothing is known of the session, until that has been so for too long", async () => {
    const { clock, pawl, backend } = await benchOf(openBackend);
    const { watch, bind } = await watchOf(pawl, { maxUnknown: 2 * HOUR });
    const login = await pawl.tokens.create({ userId: "alice" });
    const { ends } = bind(login);
    clock.advance(HOUR);
    backend.isDown = true;
    await watch.round();
    clock.advance(2 * HOUR - MINUTE);
    await watch.round();
    expect(ends).toEqual([]);
    backend.isDown = false;
    await watch.round();
    backend.isDown = true;
    clock.advance(3 * HOUR - MINUTE);
    await watch.round();
    expect(ends).toEqual([]);
    clock.advance(MINUTE);
    await watch.round();
    await expect.poll(() => ends).toEqual([{ code: 4503, reason: "unknown" }]);
  });

  it("stay open for what ended before a long sleep of the machine only if the session did not end", async () => {
    const { clock, pawl, deploy } = await benchOf(openBackend);
    const { watch, bind } = await watchOf(pawl);
    const [one, other] = [await pawl.tokens.create({ userId: "alice" }), await pawl.tokens.create({ userId: "bob" })];
    const sockets = [bind(one), bind(other)];
    clock.advance(9 * HOUR);
    await deploy({}).sessions.end(one.handle, "logout");
    await watch.round();
    await expect.poll(() => sockets.map(({ ends }) => ends)).toEqual([[{ code: 4401, reason: "logout" }], []]);
  });

  it("are closed where a change was heard of and cannot be read in time, and told where it can", async () => {
    const { clock, pawl, backend, deploy } = await benchOf(openBackend);
    const elsewhere = deploy({});
    const told: unknown[] = [];
    const { watch, bind } = await watchOf(pawl);
    const logins = [
      await elsewhere.tokens.create({ userId: "alice" }),
      await elsewhere.tokens.create({ userId: "bob" }),
    ];
    const onChange = ({ userId, payload }: ChangedSession<object>) => told.push([userId, payload]);
    const [first, second] = logins.map((login) => bind(login, { onChange }));
    await elsewhere.sessions.updatePayload(logins[0]!.handle, { role: "user" });
    await expect.poll(() => told, { timeout: 10_000 }).toEqual([["alice", { role: "user" }]]);
    const { backend: followed } = insideOf(pawl).serving();
    const heard = new Promise<void>((resolve) => {
      followed.subscribeToChanges(() => {
        backend.isDown = true;
        resolve();
      });
    });
    await elsewhere.sessions.updatePayload(logins[1]!.handle, { role: "user" });
    await heard;
    clock.advance(29_000);
    await watch.round();
    expect(second!.ends).toEqual([]);
    clock.advance(1000);
    await watch.round();
    await expect.poll(() => second!.ends).toEqual([{ code: 4503, reason: "unknown" }]);
    expect(first!.ends).toEqual([]);
    expect(told).toHaveLength(1);
  });

  it("are asked for again after a change, though an answer of before it comes last", async () => {
    const { clock, pawl } = await benchOf(openBackend);
    const told: unknown[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const answers = [
      (answer: Promise<unknown>) => released.then(() => answer),
      (answer: Promise<unknown>) => answer.then(() => Promise.reject(new Error("out of reach"))),
    ];
    const { watch, asked, bind } = await watchOf(pawl, {
      through: (answer) => (answers.shift()?.(answer) ?? answer) as typeof answer,
    });
    const login = await pawl.tokens.create({ userId: "alice", payload: { role: "admin" } });
    bind(login, { onChange: ({ payload }) => told.push(payload) });
    clock.advance(HOUR);
    const round = watch.round();
    await expect.poll(() => asked).toEqual([1]);
    await pawl.sessions.updatePayload(login.handle, { role: "user" });
    await expect.poll(() => asked).toEqual([1, 1]);
    release();
    await round;
    await watch.round();
    await expect.poll(() => told).toEqual([{ role: "user" }]);
  });

  it("hear of a payload that was changed in silence when they are asked for", async () => {
    const { clock, pawl, deploy } = await benchOf(openBackend);
    const elsewhere = deploy({ loadPayload: () => ({ role: "user" }) });
    const { watch, bind } = await watchOf(pawl);
    const login = await pawl.tokens.create({ userId: "alice", payload: { role: "admin" } });
    const told: unknown[] = [];
    const { ends } = bind(login, { onChange: ({ payload }) => told.push(payload) });
    clock.advance(HOUR);
    await elsewhere.tokens.refresh(login.refreshToken);
    await watch.round();
    await expect.poll(() => told).toEqual([{ role: "user" }]);
    expect(ends).toEqual([]);
  });

  it("are closed, or told, at once where that happened before they were bound", async () => {
    const { pawl } = await benchOf(openBackend);
    const { bind } = await watchOf(pawl);
    const [ended, changed] = [
      await pawl.tokens.create({ userId: "alice" }),
      await pawl.tokens.create({ userId: "bob" }),
    ];
    await pawl.sessions.end(ended.handle, "logout");
    await pawl.sessions.updatePayload(changed.handle, { role: "user" });
    const told: unknown[] = [];
    const { ends } = bind(ended);
    bind(changed, { onChange: ({ payload, payloadVersion }) => told.push([payload, payloadVersion]) });
    await expect.poll(() => ends).toEqual([{ code: 4401, reason: "logout" }]);
    await expect.poll(() => told).toEqual([[{ role: "user" }, 1]]);
  });

  it("are told whom their session speaks for, when that begins, and when it ends by itself or is ended", async () => {
    const { clock, pawl, browser } = await benchOf(openBackend);
    const { watch, bind } = await watchOf(pawl);
    const { result: session } = await browser.visit((exchange) =>
      pawl.createSession(exchange, { userId: "support", payload: { role: "support" } }),
    );
    const told: unknown[] = [];
    const onChange = ({ userId, payload, actor }: ChangedSession<object>) =>
      told.push([userId, payload, actor?.userId]);
    const { ends } = bind(session!, { onChange });
    const act = () =>
      browser.visit(async (exchange) =>
        (await pawl.requireSession(exchange)).actAs({
          userId: "alice",
          payload: { role: "user" },
          reason: "ticket 4711",
          for: "15m",
        }),
      );
    const alice = ["alice", { role: "user" }, "support"];
    const support = ["support", { role: "support" }, undefined];
    await act();
    await expect.poll(() => told).toEqual([alice]);
    await browser.visit(async (exchange) => (await pawl.requireSession(exchange)).actAsSelf());
    await expect.poll(() => told).toEqual([alice, support]);
    await act();
    await expect.poll(() => told).toEqual([alice, support, alice]);
    // One that is bound meanwhile, to whom the session speaks for.
    const { result: acting } = await browser.visit((exchange) => pawl.requireSession(exchange));
    const others: unknown[] = [];
    bind(acting!, { onChange: ({ userId }) => others.push(userId) });
    clock.advance(15 * MINUTE + 1000);
    await watch.round();
    await expect.poll(() => told).toEqual([alice, support, alice, support]);
    await expect.poll(() => others).toEqual(["support"]);
    expect(ends).toEqual([]);
  });

  it("are told of a step-up", async () => {
    const { pawl, browser } = await benchOf(openBackend);
    const { bind } = await watchOf(pawl);
    const { result } = await browser.visit((exchange) => pawl.createSession(exchange, { userId: "alice" }));
    const told: unknown[] = [];
    bind(result!, { onChange: ({ auth }) => told.push(auth.methods) });
    await browser.visit(async (exchange) => (await pawl.requireSession(exchange)).stepUp({ methods: ["otp"] }));
    await expect.poll(() => told).toEqual([["otp"]]);
  });

  it("are told of one change after the other, of the last alone where several came meanwhile", async () => {
    const { pawl } = await benchOf(openBackend);
    const { bind } = await watchOf(pawl);
    const login = await pawl.tokens.create({ userId: "alice" });
    const told: number[] = [];
    let answer = (): void => undefined;
    const { ends } = bind(login, {
      async onChange({ payloadVersion }) {
        told.push(payloadVersion);
        await new Promise<void>((resolve) => (answer = resolve));
        if (payloadVersion === 4) throw new Error("not that");
      },
    });
    const { backend } = insideOf(pawl).serving();
    const change = async (version: number): Promise<void> => {
      await pawl.sessions.updatePayload(login.handle, { version });
      await expect.poll(async () => (await backend.liveOf([login.handle]))[0]?.payloadVersion).toBe(version);
    };
    await change(1);
    await expect.poll(() => told).toEqual([1]);
    await change(2);
    await change(3);
    await change(4);
    // The feed is in order: what is told of another session came after all that.
    const after = await pawl.tokens.create({ userId: "bob" });
    const others: number[] = [];
    bind(after, { onChange: ({ payloadVersion }) => others.push(payloadVersion) });
    await pawl.sessions.updatePayload(after.handle, {});
    await expect.poll(() => others, { timeout: 10_000 }).toEqual([1]);
    expect(told).toEqual([1]);
    answer();
    await expect.poll(() => told).toEqual([1, 4]);
    expect(ends).toEqual([]);
    answer();
    await expect.poll(() => ends).toEqual([{ code: 4403, reason: "changed", cause: new Error("not that") }]);
  });
});

/** A `ws` of the server, and a way to its port. */
const webSockets = async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  onTestFinished(() => server.close());
  const { port } = server.address() as AddressInfo;
  const next = async (): Promise<WebSocket> => ((await once(server, "connection")) as [WebSocket])[0];
  return { port, next };
};

const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "",
  "",
].join("\r\n");
/** A masked text frame (RFC 6455 section 5.2) that says `hi`, with a mask of zeros. */
const HI = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);

it("a client that does not answer the close is not heard, and is cut off", async () => {
  const pawl = pawlOf();
  const { bind: _bind, watch } = await watchOf(pawl, { endings: new Endings(300) });
  const login = await pawl.tokens.create({ userId: "alice" });
  const { port, next } = await webSockets();
  const client = connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  client.write(UPGRADE);
  const socket = await next();
  const heard: string[] = [];
  socket.on("message", (data: Buffer) => heard.push(data.toString()));
  watch.bind(socket, login);
  client.write(HI);
  await expect.poll(() => heard).toEqual(["hi"]);
  const frames: Buffer[] = [];
  client.on("data", (data) => frames.push(data));
  await pawl.sessions.end(login.handle, "logout");
  // The close frame: 4401 is 0x1131.
  await expect.poll(() => Buffer.concat(frames).includes(Buffer.from([0x11, 0x31]))).toBe(true);
  client.write(HI);
  const [, reason] = (await once(socket, "close")) as [number, Buffer];
  expect(reason.toString()).toBe("");
  expect(heard).toEqual(["hi"]);
});

it("an application that gives no answer in time has given one: the socket is closed", async () => {
  const pawl = pawlOf();
  const { bind } = await watchOf(pawl, { answerWithin: 50 });
  const login = await pawl.tokens.create({ userId: "alice" });
  const { ends } = bind(login, { onChange: () => new Promise(() => undefined) });
  await pawl.sessions.updatePayload(login.handle, {});
  const cause = new Error("onChange did not answer within 50 ms");
  await expect.poll(() => ends).toEqual([{ code: 4403, reason: "changed", cause }]);
});

it("a socket that is bound again belongs to the other session alone, and is told of once", async () => {
  const pawl = pawlOf();
  const { watch } = await watchOf(pawl);
  const [one, other] = [await pawl.tokens.create({ userId: "alice" }), await pawl.tokens.create({ userId: "bob" })];
  const { port, next } = await webSockets();
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const socket = await next();
  const ends: unknown[] = [];
  for (const login of [one, other, one, other]) watch.bind(socket, login, { onEnd: () => ends.push(login.userId) });
  expect(socket.listenerCount("close")).toBe(2);
  await pawl.sessions.end([one.handle, other.handle], "logout");
  expect(await once(client, "close")).toEqual([4401, Buffer.from("logout")]);
  expect(ends).toEqual(["bob"]);
});

it("what is no socket is refused, and so is what belongs to an instance that was closed or is none", async () => {
  const { forSockets } = await import("../../src/sockets/index.js");
  const pawl = pawlOf();
  const login = await pawl.tokens.create({ userId: "alice" });
  const { bindSocket } = forSockets(pawl);
  for (const given of [{}, { raw: {} }, { close() {} }, new Response(), { raw: "ws" }])
    expect(() => bindSocket(given as never, login)).toThrow(TypeError);
  expect(() => forSockets({} as typeof pawl)).toThrow(TypeError);
  expect(() => forSockets(pawl, { maxUnknown: "soon" })).toThrow(/^forSockets: maxUnknown must be/);
  expect(() => forSockets(pawl, { max: 1 } as never)).toThrow(/^forSockets: max cannot be given/);
  await pawl.close();
  expect(() => bindSocket(new ReadableStream(), login)).toThrow("this instance was closed");
});
