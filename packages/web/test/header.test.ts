import { expect, test } from "vitest";
import { headerTokens } from "../src/header.js";

test.each([
  [undefined, false],
  [{}, false],
  [{ persist: false }, false],
  [{ persist: true }, true],
])("headerTokens(%j) persists: %s", (options, persist) => expect(headerTokens(options).persist).toBe(persist));

test.each([
  [
    { "st-access-token": "a", "st-refresh-token": "r" },
    { access: "a", refresh: "r" },
  ],
  [{ "st-access-token": "", "st-refresh-token": "" }, undefined],
  [{ "st-access-token": "a" }, undefined],
  [{ "st-refresh-token": "r" }, undefined],
  [{}, undefined],
])("an answer with %j holds %j", (headers, tokens) =>
  expect(headerTokens().receive(new Headers(headers as HeadersInit))).toEqual(tokens),
);

test("a request is authorized with the token of its use; what the application has set stays", () => {
  const record = { generation: 1, endedAt: 0, tokens: { access: "a", refresh: "r" } };
  const authorize = (
    init: HeadersInit,
    of: typeof record | Omit<typeof record, "tokens">,
    use: "access" | "refresh",
  ) => {
    const headers = new Headers(init);
    headerTokens().authorize(headers, of, use);
    return headers.get("authorization");
  };
  expect(authorize({}, record, "access")).toBe("Bearer a");
  expect(authorize({}, record, "refresh")).toBe("Bearer r");
  expect(authorize({ authorization: "Basic x" }, record, "access")).toBe("Basic x");
  expect(authorize({}, { generation: 1, endedAt: 0 }, "access")).toBeNull();
});
