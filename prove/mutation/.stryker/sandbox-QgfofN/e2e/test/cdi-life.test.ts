import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CdiClient, cdiClient, type CdiSession, type CdiToken } from "./cdi-client.js";
import { bothSettings, StandingClock, startTestCore, type TestCore } from "./core.js";
import { decodeToken } from "./recorded/exchanges.js";

/** How the SDKs that cannot run here send what they send: versions, prefixes and fields. */
interface SdkShape {
  readonly sdk: string;
  readonly version: string;
  readonly prefix: string;
  readonly create: object;
  readonly verify: object;
  readonly refresh: object;
  /** What comes before a session is made. */
  readonly before: readonly string[];
  readonly listFlags: string;
  readonly removeFlags: object;
}

const shapes: readonly SdkShape[] = [
  {
    sdk: "Go 0.25",
    version: "3.1",
    prefix: "/public",
    create: { useDynamicSigningKey: true },
    verify: { checkDatabase: false },
    refresh: {},
    before: ["/apiversion"],
    listFlags: "&fetchAcrossAllTenants=true",
    removeFlags: { revokeAcrossAllTenants: true },
  },
  {
    sdk: "Python 0.31",
    version: "5.4",
    prefix: "/public",
    create: { useDynamicSigningKey: true },
    verify: { checkDatabase: false },
    refresh: { useDynamicSigningKey: true },
    before: ["/apiversion?apiDomain=https%3A%2F%2Fapi&websiteDomain=https%3A%2F%2Fweb", "/user/id?userId=user-1"],
    listFlags: "&fetchSessionsForAllLinkedAccounts=true&fetchAcrossAllTenants=true",
    removeFlags: { revokeSessionsForLinkedAccounts: true, revokeAcrossAllTenants: true },
  },
  {
    sdk: "Python 0.12 and Go 0.10",
    version: "2.15",
    prefix: "",
    create: {},
    verify: {},
    refresh: {},
    before: ["/apiversion"],
    listFlags: "",
    removeFlags: {},
  },
];

interface Verified {
  readonly status: string;
  readonly message?: string;
  readonly accessToken?: CdiToken;
}

describe.each(shapes)("the life of a session as $sdk asks for it", (shape) => {
  describe.each(bothSettings)("with $settings", ({ settings, options }) => {
    const clock = new StandingClock();
    let core: TestCore;
    let client: CdiClient;
    beforeAll(async () => {
      core = await startTestCore({ ...options, clock });
      client = cdiClient(core, shape.version);
    });
    afterAll(() => core.close());

    const create = async (userId = "user-1"): Promise<CdiSession> => {
      for (const path of shape.before) await client.ask("GET", path);
      return client.ask("POST", `${shape.prefix}/recipe/session`, {
        userId,
        userDataInJWT: { role: "x" },
        userDataInDatabase: {},
        enableAntiCsrf: false,
        ...shape.create,
      });
    };
    const refresh = ({ refreshToken }: CdiSession): Promise<CdiSession> =>
      client.ask("POST", "/recipe/session/refresh", {
        refreshToken: refreshToken.token,
        enableAntiCsrf: false,
        ...shape.refresh,
      });
    const verify = ({ accessToken }: Pick<CdiSession, "accessToken">): Promise<Verified> =>
      client.ask("POST", "/recipe/session/verify", {
        accessToken: accessToken.token,
        doAntiCsrfCheck: false,
        enableAntiCsrf: false,
        ...shape.verify,
      });
    const lineageOf = ({ token }: CdiToken): readonly unknown[] => {
      const { refreshTokenHash1, parentRefreshTokenHash1 = null } = decodeToken(token).payload;
      return [refreshTokenHash1, parentRefreshTokenHash1];
    };

    test("goes on through refreshes, lost answers and two tabs, and a use makes its token clean", async () => {
      const login = await create();
      expect(lineageOf(login.accessToken)).toEqual(["0", null]);
      expect(await verify(login)).toMatchObject({ status: "OK" });

      clock.advance(31_000);
      const turned = await refresh(login);
      expect(lineageOf(turned.accessToken)).toEqual(["1", "0"]);
      if (settings === "the defaults") {
        // Another tab, or the same one again: the same successor, and nothing is settled yet.
        const tab = await refresh(login);
        expect(lineageOf(tab.accessToken)).toEqual(["1", "0"]);
        const kept = await refresh(turned);
        expect(lineageOf(kept.accessToken)).toEqual(["1", "0"]);
        for (const session of [turned, tab, kept]) expect(await verify(session)).not.toHaveProperty("accessToken");
        clock.advance(31_000);
      }
      const used = await verify(turned);
      expect(used.accessToken?.expiry).toBe(turned.accessToken.expiry);
      expect(lineageOf(used.accessToken as CdiToken)).toEqual(["1", null]);
      expect(await verify({ accessToken: used.accessToken as CdiToken })).not.toHaveProperty("accessToken");

      clock.advance(86_400_000);
      const lost = await refresh(turned);
      clock.advance(86_400_000);
      expect(await refresh(turned)).toMatchObject({ status: "OK" });
      expect(lost.status).toBe("OK");
    });

    test("ends by theft, which is told", async () => {
      const victim = await create();
      const { handle, userId } = victim.session;
      clock.advance(31_000);
      const turned = await refresh(victim);
      clock.advance(31_000);
      await verify(turned);
      const recipeUser = shape.version === "5.4" ? { recipeUserId: userId } : {};
      const theft = { status: "TOKEN_THEFT_DETECTED", session: { handle, userId, ...recipeUser } };
      expect(await refresh(victim)).toEqual(theft);
      const remains = settings === "the defaults" ? "UNAUTHORISED" : "OK";
      expect(await refresh(turned)).toMatchObject({ status: remains });
      // The SDKs revoke what was stolen: there may be nothing left to end.
      const removed = { status: "OK", sessionHandlesRevoked: remains === "OK" ? [handle] : [] };
      expect(await client.ask("POST", "/recipe/session/remove", { sessionHandles: [handle] })).toEqual(removed);
    });

    test("is asked about, changed, listed and ended", async () => {
      const { session, accessToken, refreshToken } = await create("user-2");
      const { handle } = session;
      const query = `sessionHandle=${handle}`;
      expect(await client.ask("GET", `/recipe/session?${query}`)).toMatchObject({
        status: "OK",
        userId: "user-2",
        userDataInJWT: { role: "x" },
        expiry: refreshToken.expiry,
        timeCreated: refreshToken.createdTime,
      });
      const changes = { sessionHandle: handle, userDataInDatabase: { a: 1 }, userDataInJWT: { role: "y" } };
      expect(await client.ask("PUT", "/recipe/session/data", changes)).toEqual({ status: "OK" });
      expect(await client.ask("PUT", "/recipe/jwt/data", changes)).toEqual({ status: "OK" });
      expect(await client.ask("GET", `/recipe/session?${query}`)).toMatchObject({
        userDataInDatabase: { a: 1 },
        userDataInJWT: { role: "y" },
      });
      const regenerated = await client.ask<CdiSession>("POST", "/recipe/session/regenerate", {
        accessToken: accessToken.token,
        userDataInJWT: { role: "z" },
      });
      expect(regenerated).toMatchObject({ status: "OK", session: { userDataInJWT: { role: "z" } } });
      expect(regenerated.accessToken.expiry).toBe(accessToken.expiry);

      const { prefix, listFlags, removeFlags } = shape;
      expect(await client.ask("GET", `${prefix}/recipe/session/user?userId=user-2${listFlags}`)).toEqual({
        status: "OK",
        sessionHandles: [handle],
      });
      const end = { userId: "user-2", ...removeFlags };
      expect(await client.ask("POST", `${prefix}/recipe/session/remove`, end)).toEqual({
        status: "OK",
        sessionHandlesRevoked: [handle],
      });
      expect(await client.ask("POST", `${prefix}/recipe/session/remove`, end)).toEqual({
        status: "OK",
        sessionHandlesRevoked: [],
      });
      expect(await client.ask("GET", `/recipe/session?${query}`)).toMatchObject({ status: "UNAUTHORISED" });
    });
  });
});
