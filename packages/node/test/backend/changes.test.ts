import { TestClock } from "@pawl/adapter-conformance";
import { millis } from "@pawl/storage";
import { afterEach, describe, expect, it } from "vitest";
import { createPawl, type Pawl, type Session } from "../../src/index.js";
import { TestBrowser } from "../browser.js";
import { openCore } from "../open-core.js";

const open = new Set<() => Promise<void>>();
afterEach(async () => {
  for (const close of [...open].toReversed()) await close();
  open.clear();
});

/** Two processes of an application over one core. The clock of the first may be wrong. */
const start = async (error = 0): Promise<{ readonly clock: TestClock; readonly here: Pawl; readonly there: Pawl }> => {
  const clock = new TestClock();
  const backend = await openCore({}, clock);
  open.add(() => backend.close());
  const [here, there] = [{ now: () => millis(clock.now() + error) }, clock].map((own) => {
    const pawl = createPawl({ ...backend.options, clock: own });
    open.add(() => pawl.close());
    return pawl;
  }) as [Pawl, Pawl];
  return { clock, here, there };
};

const verified = (pawl: Pawl, accessToken: string): Promise<unknown> =>
  pawl.tokens.verify(accessToken).then(
    ({ payload }) => payload,
    (error: { readonly code?: string }) => error.code,
  );

describe("a payload that is changed over a core", () => {
  it("is refused at once where it was changed, elsewhere as soon as the feed tells, and a refresh helps both", async () => {
    const { here, there } = await start();
    const login = await here.tokens.create({ userId: "alice", payload: { role: "admin" } });
    expect(await verified(there, login.accessToken)).toEqual({ role: "admin" });
    expect(await here.sessions.updatePayload(login.handle, { role: "user" })).toBe(true);
    expect(await verified(here, login.accessToken)).toBe("TRY_REFRESH");
    await expect.poll(() => verified(there, login.accessToken), { timeout: 10_000 }).toBe("TRY_REFRESH");
    for (let twice = 0; twice < 2; twice += 1) {
      const { accessToken } = await there.tokens.refresh(login.refreshToken);
      for (const pawl of [here, there]) expect(await verified(pawl, accessToken)).toEqual({ role: "user" });
    }
  });

  it.each([
    ["a step-up", (session) => session.stepUp({ methods: ["otp"] })],
    ["another payload", (session) => session.updatePayload({ role: "user" })],
    ["acting for a user", (session) => session.actAs({ userId: "bob", payload: {}, reason: "ticket 4711" })],
  ] satisfies readonly (readonly [string, (session: Session) => Promise<void>])[])(
    "or by %s, is refused at once where that was done",
    async (_, change) => {
      const { here } = await start();
      const browser = new TestBrowser();
      const { result } = await browser.visit((exchange) => here.createSession(exchange, { userId: "alice" }));
      for (let round = 0; round < 5; round += 1) {
        const [[, older]] = browser.cookies() as [[string, string]];
        await browser.visit(async (exchange) => {
          const session = await here.requireSession(exchange);
          if (session.actor) await session.actAsSelf();
          else await change(session);
        });
        expect([round, await verified(here, older)]).toEqual([round, "TRY_REFRESH"]);
      }
      expect((await here.sessions.list("alice")).items).toMatchObject([{ handle: result?.handle }]);
    },
  );

  it.each([-120_000, -45_000, 45_000, 120_000])(
    "is told from newer ones by the time of the store, where this process's own is %i ms off",
    async (error) => {
      const { here } = await start(error);
      const login = await here.tokens.create({ userId: "alice", payload: { role: "admin" } });
      await here.sessions.updatePayload(login.handle, { role: "user" });
      expect(await verified(here, login.accessToken)).toBe("TRY_REFRESH");
      const { accessToken } = await here.tokens.refresh(login.refreshToken);
      expect(await verified(here, accessToken)).toEqual({ role: "user" });
    },
  );
});
