import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MovedClock, startTestCore, type TestCore } from "../core.js";
import { sdkVersions } from "./sdk-version.js";
import { modesOf, sharedSetup, tokenVersionOf } from "./setup.js";

const HOUR = 3_600_000;
const VERIFY = "POST /recipe/session/verify";

let core: TestCore;
/** The SDK reads the machine's clock: to it, what a core two hours behind makes has ended. */
let behind: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  const clock = new MovedClock();
  clock.advance(-2 * HOUR);
  behind = await startTestCore({ clock });
});
afterAll(() => Promise.all([core.close(), behind.close()]));

describe.each(sdkVersions)("a session of supertokens-node $version, unmodified", (sdk) => {
  const setup = sharedSetup(sdk, () => core);
  const setupBehind = sharedSetup(sdk, () => behind);
  describe.each(modesOf(sdk))("in %s mode", (mode) => {
    test("login, verification without the core, refresh, sign-out", async () => {
      const { proxy, userId, loggedIn } = setup();
      const visitor = await loggedIn({ payload: { role: "admin" }, data: { note: 1 } }, { mode });
      expect(tokenVersionOf(visitor)).toBe(sdk.tokenVersion);
      const me = () => visitor.act((session) => [session.getUserId(), session.getAccessTokenPayload().role]);
      expect(await me()).toMatchObject({ status: 200, body: [userId, "admin"] });
      proxy.take();
      expect(await me()).toMatchObject({ status: 200, body: [userId, "admin"] });
      expect(proxy.take()).toEqual([]);

      core.clock.advance(31_000);
      const before = new Map(visitor.tokens);
      expect((await visitor.refresh()).status).toBe(200);
      expect(proxy.take()).toEqual(["POST /recipe/session/refresh"]);
      expect(visitor.tokens.get("refresh")).not.toBe(before.get("refresh"));
      expect(visitor.tokens.get("access")).not.toBe(before.get("access"));

      // while it is not settled which copy is in use, the SDK asks; then it is given a clean token and asks no more
      expect(await me()).toMatchObject({ status: 200, body: [userId, "admin"] });
      expect(proxy.take()).toEqual([VERIFY]);
      core.clock.advance(31_000);
      expect(await me()).toMatchObject({ status: 200, body: [userId, "admin"] });
      expect(proxy.take()).toEqual([VERIFY]);
      expect(await me()).toMatchObject({ status: 200, body: [userId, "admin"] });
      expect(proxy.take()).toEqual([]);

      const copy = visitor.copy();
      expect(await visitor.signOut()).toMatchObject({ status: 200, body: { status: "OK" } });
      expect(visitor.tokens.size).toBe(0);
      expect(await copy.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
      expect(copy.tokens.size).toBe(0);
    });

    test("an access token past its time asks for a refresh, and keeps what the visitor holds", async () => {
      const { userId, loggedIn } = setupBehind();
      const visitor = await loggedIn({}, { mode });
      const me = () => visitor.act((session) => session.getUserId());
      expect(await me()).toMatchObject({ status: 401, message: "try refresh token" });
      expect(visitor.tokens.size).toBe(2);
      behind.clock.advance(2 * HOUR);
      expect((await visitor.refresh()).status).toBe(200);
      expect(await me()).toMatchObject({ status: 200, body: userId });
      behind.clock.advance(-2 * HOUR);
    });

    test("what is no refresh token is UNAUTHORISED, and the session lives on", async () => {
      const { loggedIn } = setup();
      const visitor = await loggedIn({}, { mode });
      const good = visitor.tokens.get("refresh") ?? "";
      for (const token of ["x", "a.b.V1", `${good}.V1`, good.slice(0, -1)]) {
        const hostile = visitor.copy();
        hostile.replace("refresh", token);
        expect(await hostile.refresh()).toMatchObject({ status: 401, message: "unauthorised" });
      }
      expect((await visitor.refresh()).status).toBe(200);
    });

    test("an access token that somebody changed is refused, and does no harm", async () => {
      const { loggedIn } = setup();
      const visitor = await loggedIn({}, { mode });
      const [header, , signature] = (visitor.tokens.get("access") ?? "").split(".");
      const claims = Buffer.from(
        JSON.stringify({ ...decodeJwt(visitor.tokens.get("access") ?? ""), sub: "x", userId: "x" }),
      );
      const encoding = sdk.tokenVersion === "2" ? "base64" : "base64url";
      visitor.replace("access", [header, claims.toString(encoding), signature].join("."));
      expect(await visitor.act(() => "let in")).toMatchObject({ status: 401, message: "try refresh token" });
      expect((await visitor.refresh()).status).toBe(200);
      expect((await visitor.act(() => "let in")).status).toBe(200);
    });

    test("without a session a visitor is sent away, or let in without one where the application says so", async () => {
      const { newVisitor, loggedIn, userId } = setup();
      const stranger = newVisitor({ mode });
      expect(await stranger.act(() => "let in")).toMatchObject({ status: 401, message: "unauthorised" });
      const act = { options: { sessionRequired: false } };
      const who = (session: { getUserId(): string } | undefined) => session?.getUserId() ?? "nobody";
      expect(await stranger.act(who, act)).toMatchObject({ status: 200, body: "nobody" });
      const visitor = await loggedIn({}, { mode });
      expect(await visitor.act(who, act)).toMatchObject({ status: 200, body: userId });
    });
  });
});
