import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startTestCore, type TestCore } from "../core.js";
import { type CountingProxy, countingProxy } from "../counting-proxy.js";
import { entries, startApplication } from "./application.js";
import type { Host } from "./client.js";

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};
/** A host where a connection is refused. */
const refusingHost = async (): Promise<Host> => ({ hostname: "127.0.0.1", port: await freePort() });

describe.each(entries)("hosts of $name, unmodified", (entry) => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore();
  });
  afterAll(() => core.close());
  const proxyTo = async (target: Host, options: { readonly port?: number } = {}): Promise<CountingProxy> => {
    const proxy = await countingProxy(target, options);
    onTestFinished(() => proxy.close());
    return proxy;
  };

  test("1.0.1 statement 1: init does not throw while the core is down, and the next call makes up for the handshake", async () => {
    const host = await refusingHost();
    const { sdk, newClient } = await startApplication(entry, [host]);
    const client = newClient();
    expect(await client.login("u1")).toEqual({
      errType: sdk.Error.GENERAL_ERROR,
      message: "No SuperTokens core available to query",
    });
    const proxy = await proxyTo(core.host, host);
    expect(await client.login("u1")).toEqual({ userId: "u1" });
    expect(proxy.take()).toEqual(["POST /session", "POST /handshake"]);
    expect(await client.verify()).toEqual({ userId: "u1" });
    expect(proxy.take()).toEqual([]);
  });

  test("1.0.1 statement 2: hosts take turns, and a refused connection moves on to the next", async () => {
    const [first, last] = [await proxyTo(core.host), await proxyTo(core.host)];
    const { sdk } = await startApplication(entry, [first.host, await refusingHost(), last.host]);
    // init's own handshake had the first turn
    const turns: string[] = [];
    for (let call = 0; call < 4; call++) {
      expect(await sdk.getAllSessionHandlesForUser("nobody")).toEqual([]);
      for (const [name, { take }] of Object.entries({ first, last }))
        if (take().includes("GET /session/user")) turns.push(name);
    }
    expect(turns).toEqual(["last", "first", "last", "first"]);
  });

  test("1.0.1 statement 2: any other network error is GENERAL_ERROR at once; the next call has the next host", async () => {
    // it takes the connection and cuts it
    const broken = await proxyTo(await refusingHost());
    const good = await proxyTo(core.host);
    const { sdk, newClient } = await startApplication(entry, [good.host, broken.host]);
    const client = newClient();
    const failed = await client.login("u2");
    expect(failed).toEqual({ errType: sdk.Error.GENERAL_ERROR, message: expect.stringContaining("socket hang up") });
    expect(broken.take()).toEqual(["POST /session"]);
    expect(good.take()).not.toContain("POST /session");
    expect(await client.login("u2")).toEqual({ userId: "u2" });
    expect(good.take()).toContain("POST /session");
  });

  test("1.0.1 statement 2: an answer that is not 200 is GENERAL_ERROR at once, and told", async () => {
    const [first, second] = [await proxyTo(core.host), await proxyTo(core.host)];
    const { sdk } = await startApplication(entry, [first.host, second.host]);
    const { message } = await sdk.updateSessionData("handle", "no object").then(
      () => expect.unreachable(),
      ({ errType, err }: { errType: number; err: Error }) => {
        expect(errType).toBe(sdk.Error.GENERAL_ERROR);
        return err;
      },
    );
    expect(message).toBe(
      "SuperTokens core threw an error for a PUT request to path: '/session/data' with status code: 400 " +
        "and message: Field name 'userDataInDatabase' is invalid in JSON input\n",
    );
    expect([...first.take(), ...second.take()].filter((asked) => asked.startsWith("PUT"))).toHaveLength(1);
  });
});
