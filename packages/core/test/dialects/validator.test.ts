import { routes } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { compileValidator, parseQuery } from "../../src/dialects/v1/validator.js";

describe("compileValidator", () => {
  const validate = compileValidator(routes.createSession.body);

  test("says nothing about what fits", () => {
    for (const value of [{ userId: "u" }, { userId: "u", payload: { a: null }, data: {}, enableAntiCsrf: false }])
      expect(validate(value)).toBeUndefined();
  });

  test.each([
    [{}, "must have required properties userId"],
    [{ userId: 7 }, "userId: must be string"],
    [{ userId: "u", payload: "canary" }, "payload: must be object"],
    [{ userId: "u", canary: 1 }, "must not have additional properties"],
    [[], "must be object"],
    [null, "must be object"],
  ])("says of %j: %s", (value, complaint) => {
    expect(validate(value)).toBe(complaint);
  });

  test("says of a choice what may be chosen", () => {
    const revoke = compileValidator(routes.revokeSessions.body);
    expect(revoke({ userId: "u", except: "h" })).toBeUndefined();
    expect(revoke({ userId: "u", handles: [] })).toBe("Exactly one of `handles`, `userId` and `allOfTenant`");
  });

  test("says of a choice that describes itself nothing else, and of what has no choice never its description", () => {
    const [described, bare] = [{ description: "a text" }, {}].map((more) =>
      [
        { anyOf: [{ type: "string" }], ...more },
        { type: "string", ...more },
      ].map((schema) => compileValidator(schema)(1)),
    );
    expect([described, bare]).toEqual([
      ["a text", "must be string"],
      ["must be string", "must be string"],
    ]);
  });

  test("says as much of what is wrong only beyond the part that is looked at, or allowed nowhere", () => {
    const map = compileValidator({ type: "object", additionalProperties: { type: "integer" } });
    const members = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`m${at}`, at === 100 ? "wrong" : at]));
    expect(map(members)).toBe("not of the documented form");
    expect(compileValidator({ type: "object", properties: { a: false } })({ a: 1 })).toBe("not of the documented form");
  });

  test.each([
    [40_000, 1, "uses.0: must be object"],
    [40_000, { handle: "h", seq: 0, issuedAt: 1 }, "uses: must not have more than 1000 items"],
  ])("looks at a bounded part of %i items that are %j", (length, item, complaint) => {
    let looks = 0;
    const items = Array.from({ length }, () => item);
    const uses = new Proxy(items, { get: (list, name) => ((looks += 1), Reflect.get(list, name) as unknown) });
    expect(compileValidator(routes.reportUses.body)({ uses })).toBe(complaint);
    expect(looks).toBeLessThan(1.2 * length);
  });

  test("a hundred thousand members are refused without gathering them", () => {
    let looks = 0;
    const members = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`m${index}`, 1]));
    const body = new Proxy(members, { get: (all, name) => ((looks += 1), Reflect.get(all, name) as unknown) });
    expect(validate(body)).toBeDefined();
    expect(looks).toBeLessThan(1_000);
  });

  test("repeats no name at length, and no value", () => {
    const nested = compileValidator({
      type: "object",
      properties: { map: { type: "object", additionalProperties: { type: "integer" } } },
    });
    const complaint = nested({ map: { ["n".repeat(10_000)]: "canary" } });
    expect(complaint).toMatch(/^map\.n+: must be integer$/);
    expect(complaint!.length).toBeLessThan(100);
  });

  test("CVE-2019-10744: a member named __proto__ is a member like any other", () => {
    expect(validate(JSON.parse('{"userId":"u","__proto__":{"a":1}}'))).toBe("must not have additional properties");
    expect(validate(JSON.parse('{"userId":"u","payload":{"__proto__":{"a":1}}}'))).toBeUndefined();
  });
});

describe("parseQuery", () => {
  const read = (query: string) => parseQuery(routes.listSessions.query, query);

  test("reads integers as numbers and leaves the rest as text", () => {
    expect(read("limit=12&userId=34")).toEqual({ values: { limit: 12, userId: "34" } });
    expect(read("")).toEqual({ values: {} });
    expect(read("userId=a+b%26c%C3%A9")).toEqual({ values: { userId: "a b&cé" } });
  });

  test.each(["1.5", "1e3", "0x10", " 1", "", "99999999999999999999"])("leaves %j, which is no integer", (text) => {
    expect(read(`limit=${encodeURIComponent(text)}`)).toEqual({ values: { limit: text } });
  });

  test("tells of a parameter that is given twice", () => {
    expect(read("userId=a&limit=1&userId=a")).toEqual({ repeated: "userId" });
    const long = "n".repeat(1000);
    expect(read(`${long}=1&${long}=1`)).toEqual({ repeated: long.slice(0, 64) });
  });

  test("a parameter named __proto__ is one like any other", () => {
    const outcome = read("__proto__=1") as { readonly values: object };
    expect(Object.keys(outcome.values)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(outcome.values)).toBe(Object.prototype);
  });
});
