import { audienceRuleOf, createEngine, type IssuedSession, type JsonObject, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage, type SigningAlgorithm, type TenantId, type UserId } from "@pawl/storage";
import { describe, expect, test } from "vitest";
import { accessCookieBytes, checkCookieSize, fitsCookie } from "../../src/http/cookie-size.js";
import { testClock } from "../clock.js";

const ACCESS_TOKEN_COOKIE = "sAccessToken";

const bytesOf = ({ accessToken }: IssuedSession): number => "sAccessToken".length + accessToken.token.length;

describe.each(["v5", "pawl"] as const)("the size foretold of the form %s", (form) => {
  test.each<{ signingAlgorithm: SigningAlgorithm; tenant?: string; payload: JsonObject; audience?: readonly string[] }>(
    [
      { signingAlgorithm: "ES256", audience: ["https://api.example.com"], payload: {} },
      { signingAlgorithm: "RS256", audience: ["https://api.example.com", "other"], payload: { role: "x" } },
      { signingAlgorithm: "ES256", payload: {} },
      {
        signingAlgorithm: "ES256",
        payload: { name: "Zoë \u2028 😀", list: Array.from({ length: 50 }, (_, at) => at) },
      },
      { signingAlgorithm: "RS256", payload: { role: "x" } },
      { signingAlgorithm: "RS256", tenant: "acme", payload: { role: "x" } },
    ],
  )(
    "$signingAlgorithm $tenant $payload $audience is that of no token exceeded, and of the first by 80 at most",
    async (given) => {
      const { signingAlgorithm, tenant, payload, audience } = given;
      const issuer = audience && "https://sessions.example.com";
      const clock = testClock(Date.UTC(2026, 0, 1));
      const storage = new MemoryStorage({ clock });
      const masterKeys = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
      const engine = await createEngine({ storage, masterKeys, policy: { signingAlgorithm, issuer, audience } });
      const audienceRule = audienceRuleOf(engine.policy);
      const how = { name: ACCESS_TOKEN_COOKIE, algorithm: signingAlgorithm, form, audienceRule };
      if (tenant !== undefined) await engine.tenants.put(tenant as TenantId, {});
      const userId = "user-1" as UserId;
      const of = tenant === undefined ? {} : { tenantId: tenant as TenantId };
      const first = await engine.createSession({ userId, payload, form, ...of });
      const bytes = accessCookieBytes(first.session, how);
      expect(bytes - bytesOf(first)).toBeGreaterThanOrEqual(0);
      expect(bytes - bytesOf(first)).toBeLessThanOrEqual(80);

      clock.advance(7_200_000);
      const outcome = await engine.refreshSession({ refreshToken: first.refreshToken.token, form });
      if (outcome.kind !== "refreshed") throw new Error(outcome.kind);
      expect(bytes).toBeGreaterThanOrEqual(bytesOf(outcome));
      // Before there is a session, its handle is known by its length.
      if (tenant === undefined) expect(accessCookieBytes({ userId, payload }, how)).toBe(bytes);
      await storage.close();
    },
  );
});

describe("the limit of browsers", () => {
  const userId = "u1" as UserId;

  test("is 4096 bytes of name and value", () => {
    expect([fitsCookie(4096), fitsCookie(4097)]).toEqual([true, false]);
    expect(() =>
      checkCookieSize({ name: ACCESS_TOKEN_COOKIE, bytes: 4096 }, { userId, payload: { big: "x".repeat(9000) } }),
    ).not.toThrow();
  });

  test("is told with the sizes of the payload and of its three largest parts, the largest first, and no content", () => {
    const payload = { tiny: 1, middle: "m".repeat(90), large: "x".repeat(300), "a b": "y".repeat(30) };
    const tell = (): void => checkCookieSize({ name: ACCESS_TOKEN_COOKIE, bytes: 4097 }, { userId, payload });
    expect(tell).toThrow(
      new TypeError(
        "the cookie sAccessToken would have 4097 bytes (name and value); browsers keep at most 4096. " +
          'Of these the payload takes about 616; the largest parts: "large" about 416, "middle" about 138, "a b" about 54. ' +
          "Keep what is large in the session data, which stays on the server",
      ),
    );
  });

  test("counts the user id among the parts, and a member without a value for nothing", () => {
    const tell = (): void =>
      checkCookieSize(
        { name: ACCESS_TOKEN_COOKIE, bytes: 5000 },
        { userId: "u".repeat(3000) as UserId, payload: { none: undefined } as never },
      );
    expect(tell).toThrow(/the largest parts: the user id about 4003, "none" about 3\. /);
  });
});
