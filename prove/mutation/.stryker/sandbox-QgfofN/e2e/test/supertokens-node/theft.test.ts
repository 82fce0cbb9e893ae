import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atOnce, bothSettings, startTestCore, type TestCore } from "../core.js";
import { sdkVersions } from "./sdk-version.js";
import { modesOf, sharedSetup } from "./setup.js";

const letIn = () => "let in";
const THEFT = { status: 401, message: "token theft detected" };
const UNAUTHORISED = { status: 401, message: "unauthorised" };
const DAY = 86_400_000;

describe.each(bothSettings)("theft, with $settings", ({ settings, options }) => {
  let core: TestCore;
  beforeAll(async () => {
    core = await startTestCore(options);
  });
  afterAll(() => core.close());
  /** What lies between the steps of a life: nothing at window 0, more than the window at the defaults. */
  const pass = () => core.clock.advance(options === atOnce ? 0 : 31_000);

  describe.each(sdkVersions)("seen by supertokens-node $version, unmodified", (sdk) => {
    const setup = sharedSetup(sdk, () => core);
    describe.each(modesOf(sdk))("in %s mode", (mode) => {
      test("the thief comes after the victim: theft is told, and nobody goes on with the session", async () => {
        const { sdk: loaded, proxy, loggedIn, userId } = setup();
        const victim = await loggedIn({}, { mode });
        const thief = victim.copy();
        const [handle = ""] = await loaded.getAllSessionHandlesForUser(userId);
        pass();
        await victim.refresh();
        pass();
        expect(await victim.act(letIn)).toMatchObject({ status: 200 });
        proxy.take();
        expect(await thief.refresh()).toMatchObject(THEFT);
        // the SDK's own handler of a theft revokes; by default there is nothing left to revoke
        expect(proxy.take()).toEqual(["POST /recipe/session/refresh", "POST /recipe/session/remove"]);
        expect(thief.tokens.size).toBe(0);
        expect(await victim.refresh()).toMatchObject(UNAUTHORISED);
        expect(await loaded.getAllSessionHandlesForUser(userId)).toEqual([]);
        const { reason } = await core.engine.explainSession(handle);
        expect(reason).toBe(settings === "window 0, report" ? "revoked" : "token_reuse");
      });

      test("the thief comes first, and uses what it got: the victim's refresh tells of the theft", async () => {
        const { loggedIn } = setup();
        const victim = await loggedIn({}, { mode });
        const thief = victim.copy();
        pass();
        await thief.refresh();
        pass();
        expect(await thief.act(letIn)).toMatchObject({ status: 200 });
        expect(await victim.refresh()).toMatchObject(THEFT);
        expect(await thief.refresh()).toMatchObject(UNAUTHORISED);
      });

      test("a lost answer, retried at once or after days, is none", async () => {
        const { loggedIn } = setup();
        const visitor = await loggedIn({}, { mode });
        pass();
        await visitor.copy().refresh();
        expect((await visitor.copy().refresh()).status).toBe(200);
        core.clock.advance(5 * DAY);
        expect((await visitor.refresh()).status).toBe(200);
        expect(await visitor.act(letIn)).toMatchObject({ status: 200 });
      });
    });
  });
});
