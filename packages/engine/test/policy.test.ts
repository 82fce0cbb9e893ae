import { millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import { defaultPolicy, type Policy, type PolicyPreset, policyWith } from "../src/index.js";
import { DAY, HOUR, memoryStage, MINUTE, onEveryStore, refresh, refreshed, SECOND, USER, use } from "./engines.js";

describe("policy", () => {
  it("is the default one where nothing else is said", () => {
    expect(policyWith()).toEqual(defaultPolicy);
    const nothing = Object.fromEntries(Object.keys(defaultPolicy).map((rule) => [rule, undefined]));
    expect(policyWith(nothing)).toEqual(defaultPolicy);
    expect(policyWith({ reuseWindow: 0 as never })).toEqual({ ...defaultPolicy, reuseWindow: 0 });
  });

  const bad: readonly [keyof Policy, unknown][] = [
    ["accessTokenValidity", 0],
    ["accessTokenValidity", 999],
    ["accessTokenValidity", 1.5],
    ["accessTokenValidity", Number.NaN],
    ["accessTokenValidity", Number.POSITIVE_INFINITY],
    ["accessTokenValidity", "3600000"],
    ["refreshTokenValidity", defaultPolicy.accessTokenValidity],
    ["refreshTokenValidity", 1e15],
    ["reuseWindow", -1],
    ["reuseWindow", 300_001],
    ["theftAction", "ignore"],
    ["signingAlgorithm", "none"],
    ["signingAlgorithm", "HS256"],
    ["idleTimeout", 0],
    ["absoluteTimeout", -5],
    ["longestActing", 59_999],
    ["longestActing", 86_400_001],
    ["preset", "nist-aal4"],
    ["preset", "toString"],
    ["maxSessionsPerUser", 0],
    ["maxSessionsPerUser", 1.5],
    ["signingKeyUpdateInterval", 0],
    ["eventRetention", -1],
    ["deviceBinding", "always"],
  ];
  it.each(bad)("refuses %s: %s, naming both", async (rule, value) => {
    const rules = { [rule]: value } as Partial<Policy>;
    expect(() => policyWith(rules)).toThrow(expect.objectContaining({ name: "EngineError", code: "invalid_input" }));
    expect(() => policyWith(rules)).toThrow(rule);
    expect(() => policyWith(rules)).toThrow(String(value));
    await expect(memoryStage().engine(rules)).rejects.toMatchObject({ code: "invalid_input" });
  });
});

describe("binding to devices", () => {
  it.each(["prefer", "require"] as const)(
    "%s takes access tokens that live 5 minutes, also with an idle timeout",
    (deviceBinding) => {
      const least = { deviceBinding, accessTokenValidity: millis(5 * MINUTE) };
      expect(policyWith(least)).toMatchObject(least);
      expect(policyWith({ deviceBinding, idleTimeout: millis(12 * MINUTE) })).toMatchObject({ deviceBinding });
      const short = expect.objectContaining({ code: "invalid_input", message: expect.stringContaining("300000") });
      expect(() => policyWith({ ...least, accessTokenValidity: millis(5 * MINUTE - 1) })).toThrow(short);
      expect(() => policyWith({ deviceBinding, idleTimeout: millis(12 * MINUTE - 2) })).toThrow(short);
    },
  );
});

/** NIST SP 800-63B-4 2.1.3, 2.2.3 and 2.3.3. */
const presets: readonly [PolicyPreset, Pick<Policy, "absoluteTimeout" | "idleTimeout">][] = [
  ["nist-aal1", { absoluteTimeout: millis(30 * DAY) }],
  ["nist-aal2", { absoluteTimeout: millis(24 * HOUR), idleTimeout: millis(HOUR) }],
  ["nist-aal3", { absoluteTimeout: millis(12 * HOUR), idleTimeout: millis(15 * MINUTE) }],
];

describe.each(presets)("the preset %s", (preset, timeouts) => {
  it("sets its timeouts, leaves shorter ones, and refuses longer ones", () => {
    expect(policyWith({ preset })).toEqual({ ...defaultPolicy, preset, ...timeouts });
    for (const [rule, most = 0] of Object.entries(timeouts)) {
      expect(policyWith({ preset, [rule]: most - MINUTE })).toMatchObject({ ...timeouts, [rule]: most - MINUTE });
      const tooLong = () => policyWith({ preset, [rule]: most + 1 });
      expect(tooLong).toThrow(`${rule} (ms) must be at most ${most} with the preset ${preset}, not ${most + 1}`);
    }
  });

  onEveryStore("holds a session to it", (open) => {
    const { absoluteTimeout = 0, idleTimeout } = timeouts;

    it("the overall limit, however active it is, also for whoever verifies offline", async () => {
      const stage = await open();
      const { clock } = stage;
      const engine = await stage.engine({ preset });
      const end = clock.now() + absoluteTimeout;
      let held = await engine.createSession({ userId: USER });
      const gap = (idleTimeout ?? absoluteTimeout / 10) / 2;
      while (clock.now() + gap < end) {
        clock.advance(gap);
        held = refreshed(await refresh(engine, held));
        expect(Math.max(held.accessToken.expiry, held.refreshToken.expiry)).toBeLessThanOrEqual(end);
        await use(engine, held);
      }
      clock.advance(end - clock.now() - SECOND);
      expect((await refresh(engine, held)).kind).toBe("refreshed");
      clock.advance(SECOND);
      expect((await engine.verifyAccessToken({ accessToken: held.accessToken.token })).kind).toBe("try_refresh");
      expect(await refresh(engine, held)).toMatchObject({ kind: "unauthorised", reason: "expired" });
    });

    it.runIf(idleTimeout !== undefined)("the idle limit, from the last use on", async () => {
      const stage = await open();
      const { clock } = stage;
      const engine = await stage.engine({ preset });
      const session = await engine.createSession({ userId: USER });
      clock.advance((idleTimeout ?? 0) - 1);
      const held = refreshed(await refresh(engine, session));
      expect(held.accessToken.expiry).toBeLessThanOrEqual(clock.now() + (idleTimeout ?? 0));
      clock.advance(idleTimeout ?? 0);
      expect((await engine.verifyAccessToken({ accessToken: held.accessToken.token })).kind).toBe("try_refresh");
      expect(await refresh(engine, held)).toMatchObject({ kind: "unauthorised", reason: "idle" });
    });
  });
});
