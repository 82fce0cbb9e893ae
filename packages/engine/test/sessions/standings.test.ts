import { millis, type TenantId, type UserId } from "@pawl/storage";
import { expect, it } from "vitest";
import { HOUR, MINUTE, onEveryStore, refresh, USER } from "../engines.js";

onEveryStore("how sessions stand", (open) => {
  it("is told in the order of the handles, for those that are live and were named as they are", async () => {
    const stage = await open();
    const engine = await stage.engine({ idleTimeout: millis(40 * MINUTE), accessTokenValidity: millis(10 * MINUTE) });
    const tenantId = "acme" as TenantId;
    const [one, ended, idle, other] = await Promise.all([
      engine.createSession({ userId: USER }),
      engine.createSession({ userId: USER }),
      engine.createSession({ userId: USER }),
      engine.createSession({ userId: USER, tenantId }),
    ]);
    await engine.revokeSessions([ended.session.handle]);
    stage.clock.advance(30 * MINUTE);
    const used = stage.clock.now();
    await refresh(engine, one);
    await refresh(engine, other);
    await engine.updatePayload(one.session.handle, { role: "admin" });
    stage.clock.advance(10 * MINUTE);
    const { handle } = other.session;
    const [id = ""] = handle.split("_");
    const handles = [handle, ended.session.handle, one.session.handle, idle.session.handle, one.session.handle];
    const liveUntil = used + 40 * MINUTE;
    expect(await engine.liveOf([...handles, id, `${id}_other`, "nonsense", ""])).toEqual([
      { payloadVersion: 0, liveUntil },
      undefined,
      { payloadVersion: 1, liveUntil },
      undefined,
      { payloadVersion: 1, liveUntil },
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(await engine.liveOf([])).toEqual([]);
  });

  it("ends with the refresh token where nothing else ends it, and being asked is no use of a session", async () => {
    const stage = await open();
    const engine = await stage.engine({ refreshTokenValidity: millis(3 * HOUR) });
    const { session, refreshToken } = await engine.createSession({ userId: USER });
    stage.clock.advance(HOUR);
    expect(await engine.liveOf([session.handle])).toEqual([{ payloadVersion: 0, liveUntil: refreshToken.expiry }]);
    stage.clock.advance(2 * HOUR);
    expect(await engine.liveOf([session.handle])).toEqual([undefined]);
  });

  it("is told of more sessions than the store is asked for at once", async () => {
    const stage = await open();
    const engine = await stage.engine();
    const logins = Array.from({ length: 1100 }, (_, user) =>
      engine.createSession({ userId: `user-${user}` as UserId }),
    );
    const handles = (await Promise.all(logins)).map(({ session }) => session.handle);
    await engine.revokeSessions([handles[3]!, handles[1099]!]);
    const standings = await engine.liveOf(handles);
    const dead = standings.flatMap((standing, index) => (standing === undefined ? [index] : []));
    expect(dead).toEqual([3, 1099]);
  });
});
