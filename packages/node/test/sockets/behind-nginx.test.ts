import { readFileSync } from "node:fs";
import { openEmbedded } from "@pawl/adapter-conformance";
import { startProxy } from "@pawl/test-servers";
import { expect, it, onTestFinished } from "vitest";
import { certificate } from "../adapters/certificate.js";
import { benchOf } from "../backends.js";
import { events, webSocket } from "./clients.js";
import { ways } from "./servers.js";

const page = readFileSync(new URL("../../../../docs/operate/behind-a-proxy.md", import.meta.url), "utf8");
const [, documented = ""] = /```nginx\n(proxy_set_header Host [^`]*)```/.exec(page) ?? [];

it.each([
  ["over HTTP", undefined],
  ["over TLS", certificate()],
] as const)(
  "sockets and events behind nginx %s, with the lines of the documentation, end with their session",
  async (_, tls) => {
    const { pawl, deploy } = await benchOf(openEmbedded);
    const { accessToken, handle } = await pawl.tokens.create({ userId: "alice" });
    const cookie = `pawl-access=${accessToken}; __Host-pawl-access=${accessToken}`;
    const ends: unknown[] = [];
    const serve = async (name: string): Promise<string> => {
      const way = ways.find(([known]) => known === name)![1];
      const nothing = (): void => undefined;
      const options = { onEnd: (end: unknown) => ends.push(end) };
      const { origin, close } = await way.serve({
        pawl,
        options,
        onBound: nothing,
        onText: nothing,
        onGone: nothing,
        isLate: false,
      });
      onTestFinished(close);
      const proxy = await startProxy(Number(new URL(origin).port), {
        settings: documented,
        ...(tls && { certificate: tls }),
      });
      onTestFinished(() => proxy.stop());
      return proxy.url;
    };
    const [sockets, streams] = [await serve("ws"), await serve("events of node:http")];
    await expect(webSocket(sockets, { cookie, origin: "https://evil.example.com" })).rejects.toThrow("refused: 403");
    const clients = [
      await webSocket(sockets, { cookie, origin: sockets, "sec-fetch-site": "same-origin" }),
      await events(streams, { cookie, origin: streams }),
    ];
    await expect
      .poll(() => clients.map(({ received }) => received), { timeout: 10_000 })
      .toEqual([["hello"], ["hello"]]);
    await deploy({}).sessions.end(handle, "logout");
    const end = { code: 4401, reason: "logout" };
    expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual([end, end]);
    expect(ends).toEqual([end, end]);
  },
);
