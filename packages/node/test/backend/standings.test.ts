import { type OpenBackend, TestClock } from "@pawl/adapter-conformance";
import type { Changed, Revoked, SessionHandle } from "@pawl/engine";
import { millis, type UserId } from "@pawl/storage";
import { describe, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backend/open-backend.js";
import type { SessionBackend } from "../../src/backend/session-backend.js";
import { policyOf } from "../../src/options/backend-options.js";
import { backends } from "../backends.js";

const open = async (place: OpenBackend) => {
  const clock = new TestClock();
  const kit = await place({}, clock);
  onTestFinished(() => kit.close());
  const { options } = kit;
  const start = async (): Promise<SessionBackend> => {
    const masterKey = Buffer.alloc(32, 7).toString("base64");
    const core = { tryTimeout: 1000, callTimeout: 5000, feedCutAfter: 30_000, clock };
    const backend = await openBackend(
      "core" in options
        ? { ...core, core: options.core as readonly string[] }
        : { storage: options.storage as never, policy: policyOf({}), masterKey, clock },
    );
    onTestFinished(() => backend.close());
    return backend;
  };
  return { clock, here: await start(), there: await start() };
};

describe.each(backends)("sessions as a backend follows them, %s", (_name, place) => {
  it("are told live or not, in the order of the handles", async () => {
    const { clock, here } = await open(place);
    const login = async (userId: string) => (await here.create({ userId: userId as UserId })).session.handle;
    const handles = [await login("alice"), await login("bob"), await login("carol")];
    await here.revoke([handles[1]!]);
    await here.updatePayload(handles[2]!, { role: "admin" });
    const liveUntil = clock.now() + 100 * 86_400_000;
    const standings = [
      { payloadVersion: 0, liveUntil },
      undefined,
      { payloadVersion: 1, liveUntil },
      undefined,
      { payloadVersion: 0, liveUntil },
    ];
    expect(await here.liveOf([...handles, "nonsense", handles[0]!])).toEqual(standings);
    const many = Array.from(
      { length: 2500 },
      (_, index) => `0000${String(index).padStart(4, "0")}-0000-4000-8000-000000000000`,
    );
    expect((await here.liveOf([...many, ...handles])).slice(many.length)).toEqual(standings.slice(0, 3));
    expect(here.settings.accessTokenValidity).toBe(3_600_000);
  });

  it("are told as they end, with the reason, and as they change, until one stops listening", async () => {
    const { clock, here, there } = await open(place);
    const { handle } = (await here.create({ userId: "alice" as UserId })).session;
    const [ended, changed, unheard]: [Revoked[], Changed[], unknown[]] = [[], [], []];
    there.subscribe((revoked) => ended.push(revoked));
    there.subscribeToChanges((change) => changed.push(change));
    there.subscribe((revoked) => unheard.push(revoked))();
    there.subscribeToChanges((change) => unheard.push(change))();
    await here.updatePayload(handle, { role: "admin" });
    await expect.poll(() => changed, { timeout: 10_000 }).toEqual([{ handle, payloadVersion: 1, at: clock.now() }]);
    await here.revoke([handle], { reason: "logout" });
    const at = millis(clock.now());
    await expect
      .poll(() => ended, { timeout: 10_000 })
      .toEqual([{ handle: handle as SessionHandle, at, reason: "logout" }]);
    expect(unheard).toEqual([]);
  });
});
