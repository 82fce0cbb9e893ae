import type { OpenBackend } from "@pawl/adapter-conformance";
import { describe, expect, it, onTestFinished } from "vitest";
import { backends, benchOf } from "../backends.js";
import type { BoundSocket } from "../../src/sockets/index.js";
import type { Headers } from "./clients.js";
import { type Application, type Way, ways } from "./servers.js";

/** An application of one kind of socket, another one on the same sessions, and a user who has logged in. */
const start = async (
  openBackend: OpenBackend,
  way: Way,
  { isLate = false, ...options }: Application["options"] & { readonly isLate?: boolean } = {},
) => {
  const { pawl, deploy } = await benchOf(openBackend);
  const elsewhere = deploy({});
  const [ends, texts]: [unknown[], string[]] = [[], []];
  const bound: BoundSocket[] = [];
  let gone = 0;
  const { origin, close } = await way.serve({
    pawl,
    options: { onEnd: (end) => ends.push(end), ...options },
    onBound: (one) => bound.push(one),
    onText: (text) => texts.push(text),
    onGone: () => (gone += 1),
    isLate,
  });
  onTestFinished(close);
  const { accessToken, handle } = await elsewhere.tokens.create({ userId: "alice", payload: { role: "admin" } });
  const host = new URL(origin).host;
  const headers: Headers = { cookie: `pawl-access=${accessToken}` };
  const connect = (more: Headers = {}) => way.connect(origin, { ...headers, ...more });
  const left = (clients: number) => expect.poll(() => gone, { timeout: 10_000 }).toBe(clients);
  return { pawl, elsewhere, handle, host, connect, ends, texts, bound, left, anonymous: () => way.connect(origin, {}) };
};

describe.each(backends)("%s", (_place, openBackend) => {
  describe.each(ways)("of %s", (_name, way) => {
    it("a socket is closed when its session ends elsewhere, with the reason, and hears nothing more", async () => {
      const { elsewhere, handle, connect, ends, texts, bound } = await start(openBackend, way);
      const [one, other] = [await connect(), await connect()];
      await expect.poll(() => [one.received, other.received]).toEqual([["hello"], ["hello"]]);
      expect(bound).toHaveLength(2);
      one.send("before");
      if (way.isUpgrade) await expect.poll(() => texts).toEqual(["before"]);
      await elsewhere.sessions.end(handle, "logout");
      const end = { code: 4401, reason: "logout" };
      expect(await Promise.all([one.ended, other.ended])).toEqual([end, end]);
      expect(ends).toEqual([end, end]);
    });

    it("is told of a new payload, and is closed where that is not enough", async () => {
      const seen: unknown[] = [];
      const onChange = ({
        userId,
        payload,
        payloadVersion,
      }: {
        userId: string;
        payload: object;
        payloadVersion: number;
      }) => {
        seen.push([userId, payload, payloadVersion]);
        if ((payload as { role: string }).role === "none") throw new Error("no role");
      };
      const { elsewhere, handle, connect, ends } = await start(openBackend, way, { onChange });
      const client = await connect();
      await elsewhere.sessions.updatePayload(handle, { role: "user" });
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual([["alice", { role: "user" }, 1]]);
      await elsewhere.sessions.updatePayload(handle, { role: "none" });
      expect(await client.ended).toEqual({ code: 4403, reason: "changed" });
      expect(seen).toEqual([
        ["alice", { role: "user" }, 1],
        ["alice", { role: "none" }, 2],
      ]);
      expect(ends).toEqual([{ code: 4403, reason: "changed", cause: new Error("no role") }]);
    });

    it("is closed by a change where nobody is asked", async () => {
      const { elsewhere, handle, connect } = await start(openBackend, way);
      const client = await connect();
      await elsewhere.sessions.updatePayload(handle, { role: "user" });
      expect(await client.ended).toEqual({ code: 4403, reason: "changed" });
    });

    it("is forgotten when its client leaves, and closed with the instance that watches over it", async () => {
      const { pawl, connect, ends, left } = await start(openBackend, way);
      const [leaves, stays] = [await connect(), await connect()];
      leaves.close();
      await left(1);
      await pawl.close();
      const end = { code: 1001, reason: "closing" };
      expect(await stays.ended).toEqual(end);
      expect(ends).toEqual([end]);
    });

    if (way.canBindLate)
      it("is not kept where its client has left before it was bound", async () => {
        const { pawl, connect, ends, bound, left } = await start(openBackend, way, { isLate: true });
        (await connect()).close();
        await left(1);
        expect(bound).toHaveLength(1);
        // Which would end it too.
        await pawl.close();
        expect(ends).toEqual([]);
      });

    it("is not opened to nobody, nor after the end", async () => {
      const { elsewhere, handle, connect, anonymous, bound } = await start(openBackend, way);
      await expect(anonymous()).rejects.toThrow("refused");
      (await connect()).close();
      await elsewhere.sessions.end(handle);
      await expect
        .poll(
          async () =>
            connect().then(
              () => "let in",
              () => "refused",
            ),
          { timeout: 10_000 },
        )
        .toBe("refused");
      expect(bound.length).toBeGreaterThan(0);
    });

    if (way.isUpgrade)
      it("is not opened to pages of other origins", async () => {
        const { host, connect, bound } = await start(openBackend, way);
        for (const origin of ["http://localhost:1", `http://evil.${host}`, `http://${host}0`, "null"])
          await expect(connect({ origin })).rejects.toThrow("refused");
        await expect(connect({ origin: `http://${host}`, "sec-fetch-site": "cross-site" })).rejects.toThrow("refused");
        expect(bound).toEqual([]);
        (await connect({ origin: `http://${host}` })).close();
        expect(bound).toHaveLength(1);
      });
  });
});
