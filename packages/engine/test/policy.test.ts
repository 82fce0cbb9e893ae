import { describe, expect, it } from "vitest";
import { defaultPolicy, type Policy, policyWith } from "../src/index.js";
import { memoryStage } from "./engines.js";

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
    ["maxSessionsPerUser", 0],
    ["maxSessionsPerUser", 1.5],
    ["signingKeyUpdateInterval", 0],
    ["eventRetention", -1],
  ];
  it.each(bad)("refuses %s: %s, naming both", async (rule, value) => {
    const rules = { [rule]: value } as Partial<Policy>;
    expect(() => policyWith(rules)).toThrow(expect.objectContaining({ name: "EngineError", code: "invalid_input" }));
    expect(() => policyWith(rules)).toThrow(rule);
    expect(() => policyWith(rules)).toThrow(String(value));
    await expect(memoryStage().engine(rules)).rejects.toMatchObject({ code: "invalid_input" });
  });
});
