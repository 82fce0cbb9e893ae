import { EventEmitter, once } from "node:events";
import { describe, expect, it } from "vitest";
import { backends, benchOf } from "./backends.js";

const HOUR = 3_600_000;

interface Role {
  readonly role: string;
}

describe.each(backends)("a refresh that is overtaken, %s", (_, openBackend) => {
  /** A request whose refresh waits in `loadPayload`, with a role that was read before what comes meanwhile. */
  const start = async () => {
    const loading = new EventEmitter();
    const reached = once(loading, "reached");
    const bench = await benchOf<Role>(openBackend, {
      loadPayload: async () => {
        loading.emit("reached");
        await once(loading, "release");
        return { role: "admin" };
      },
    });
    const { clock, pawl, browser } = bench;
    const { result } = await browser.visit((exchange) =>
      pawl.createSession(exchange, { userId: "alice", payload: { role: "admin" } }),
    );
    clock.advance(2 * HOUR);
    const ask = (tab = browser.copy()) =>
      tab.visit((exchange) => pawl.requireSession(exchange, { where: ({ payload }) => payload.role === "admin" }));
    const before = ask();
    await reached;
    return { ...bench, handle: result?.handle ?? "", ask, before, release: () => loading.emit("release") };
  };

  // The second request comes after the change, and joins the refresh of the first.
  it("lets nobody pass by a payload that was replaced meanwhile", async () => {
    const { pawl, handle, ask, before, release } = await start();
    expect(await pawl.sessions.updatePayload(handle, { role: "user" })).toBe(true);
    const after = ask();
    release();
    expect([(await before).error?.code, (await after).error?.code]).toEqual(["FORBIDDEN", "FORBIDDEN"]);
  });

  it("lets nobody pass whose session has ended meanwhile", async () => {
    const { pawl, handle, ask, before, release } = await start();
    expect(await pawl.sessions.end(handle)).toBe(1);
    const after = ask();
    release();
    expect([(await before).error?.code, (await after).error?.code]).toEqual(["UNAUTHORISED", "UNAUTHORISED"]);
  });
});
