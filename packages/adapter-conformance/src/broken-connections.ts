import { expect, it } from "vitest";
import type { LateCalls } from "./application.js";
import { call, openConnection } from "./connection.js";
import { Barrier, HOUR, sessionCookies, type Start } from "./kit.js";
import { received, type Visitor } from "./visitor.js";

export const testBrokenConnections = (start: Start): void => {
  const withCookies = ({ cookieHeader: cookie }: Visitor, headers = {}) => ({ headers: { ...headers, cookie } });

  it("survives clients that go away while a handler works", async () => {
    const { clock, origin, visitor, login, onWait, thefts } = await start();
    await login();
    for (const path of ["/slow", "/stream"]) {
      clock.advance(2 * HOUR);
      const barrier = new Barrier();
      onWait(barrier.pass);
      const { answer, abort } = call(origin + path, withCookies(visitor));
      answer.catch(() => undefined);
      await barrier.reached;
      abort();
      barrier.release();
      onWait(() => undefined);
      expect([path, (await visitor.ask(path)).status]).toEqual([path, 200]);
    }
    expect(thefts).toEqual([]);
  });

  it("survives clients that go away while their session is refreshed", async () => {
    const { backend, clock, origin, visitor, login, thefts } = await start();
    await login();
    for (const [path, method] of [
      ["/me", "GET"],
      ["/stream", "GET"],
      ["/save", "POST"],
      ["/session/refresh", "POST"],
      ["/session/refresh?return=/me", "GET"],
    ] as const) {
      clock.advance(2 * HOUR);
      const barrier = new Barrier();
      backend.delay = barrier.pass;
      const { answer, abort } = call(origin + path, { method, ...withCookies(visitor) });
      answer.catch(() => undefined);
      await barrier.reached;
      abort();
      backend.delay = undefined;
      barrier.release();
      expect([path, (await visitor.ask("/me")).status]).toEqual([path, 200]);
    }
    expect(thefts).toEqual([]);
  });

  it("survives bodies that break off, and such as cannot be read", async () => {
    const { origin, visitor, login } = await start();
    await login();
    const type = { "content-type": "application/json" };
    for (const path of ["/save", "/session/refresh"]) {
      const unfinished = { method: "POST", body: "{", isUnfinished: true };
      const headers = { ...type, "content-length": "1000" };
      const { answer, abort } = call(origin + path, { ...unfinished, ...withCookies(visitor, headers) });
      answer.catch(() => undefined);
      expect((await visitor.ask("/me")).status).toBe(200);
      abort();
      expect((await visitor.ask("/me")).status).toBe(200);
      const unreadable = await visitor.ask(path, { method: "POST", headers: type, body: "{" });
      expect([200, 400]).toContain(unreadable.status);
      if (unreadable.status === 400) expect(sessionCookies(unreadable)).toEqual([]);
      expect((await visitor.ask("/me")).status).toBe(200);
    }
  });

  it("answers requests over one connection, also where one of them is given up", async () => {
    const { clock, origin, visitor, login, onWait, thefts } = await start();
    await login();
    const connection = openConnection(origin);
    for (let round = 0; round < 2; round++) {
      clock.advance(2 * HOUR);
      const barrier = new Barrier();
      onWait(barrier.pass);
      const givenUp = connection.call("/slow", withCookies(visitor));
      givenUp.answer.catch(() => undefined);
      await barrier.reached;
      const calls = Array.from({ length: 5 }, () => connection.call("/me", withCookies(visitor)));
      givenUp.abort();
      barrier.release();
      const answers = await Promise.all(calls.map(({ answer }) => received(answer)));
      for (const answer of answers) {
        expect([answer.status, answer.setCookies.length]).toEqual([200, 2]);
        visitor.keep(answer);
      }
    }
    connection.close();
    expect(thefts).toEqual([]);
  });

  it("writes nothing once the head of the answer has been sent: no login, but changes and sign-out, which need no answer", async () => {
    const { clock, pawl, origin, ownAnswers, visitor, login, onWait } = await start();
    await login();
    const whileStreaming = async (work: (calls: LateCalls) => Promise<void>) => {
      const barrier = new Barrier();
      if (ownAnswers.holdsStreams !== undefined) barrier.release();
      const failures: unknown[] = [];
      onWait(async (calls) => {
        await barrier.pass();
        if (calls === undefined) failures.push("GET /stream hands over what can still be called");
        else await work(calls).catch((error: unknown) => failures.push(error));
      });
      const { headers, body } = await call(`${origin}/stream`, withCookies(visitor)).answer;
      let text = "";
      for await (const chunk of body) {
        text += String(chunk);
        barrier.release();
      }
      expect([text, headers["set-cookie"]]).toEqual(["onetwo", undefined]);
      return failures;
    };

    const [refused] = await whileStreaming(async (calls) => void (await calls.createSession()));
    expect(refused).toBeInstanceOf(TypeError);
    expect(String(refused)).toContain("when the answer has been sent");
    expect((await pawl.sessions.list("alice")).items).toHaveLength(1);

    expect(await whileStreaming((calls) => calls.updatePayload())).toEqual([]);
    clock.advance(2 * HOUR);
    expect((await visitor.ask("/me")).json).toEqual({ userId: "alice", role: "admin" });

    expect(await whileStreaming((calls) => calls.signOut())).toEqual([]);
    expect((await pawl.sessions.list("alice")).items).toEqual([]);
    expect((await visitor.ask("/me")).status).toBe(401);
  });
};
