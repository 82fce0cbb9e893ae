import { expect, test } from "vitest";
import { headerTokens } from "../src/header.js";
import type { RecordStore } from "../src/record-store.js";

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
  expect(headerTokens().receive(new Headers(headers as HeadersInit), undefined)).toEqual(tokens),
);

test("an answer with an access token alone leaves the refresh token that is there", () => {
  const known = { access: "a", refresh: "r" };
  const receive = (headers: HeadersInit) => headerTokens().receive(new Headers(headers), known);
  expect(receive({ "st-access-token": "b" })).toEqual({ access: "b", refresh: "r" });
  expect(receive({ "st-access-token": "b", "st-refresh-token": "s" })).toEqual({ access: "b", refresh: "s" });
  expect(receive({})).toEqual(known);
});

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

test("a token store is given one step after another, also after one that failed", async () => {
  const items = new Map<string, string>();
  let isBroken = false;
  const act = async <Result>(result: () => Result): Promise<Result> => {
    await Promise.resolve();
    if (isBroken) throw new Error("the device is locked");
    return result();
  };
  const store = {
    getItemAsync: (key: string) => act(() => items.get(key) ?? null),
    setItemAsync: (key: string, value: string) => act(() => void items.set(key, value)),
    deleteItemAsync: (key: string) => act(() => void items.delete(key)),
  };
  const { update } = headerTokens({ store }).persist as RecordStore;
  const grow = () => update((kept) => ({ generation: (kept?.generation ?? 0) + 1, endedAt: 0, front: "f" }));
  expect(await update(() => undefined)).toBeUndefined();
  await Promise.all([grow(), grow(), grow()]);
  isBroken = true;
  await expect(grow()).rejects.toThrow("locked");
  isBroken = false;
  expect(await grow()).toEqual({ generation: 4, endedAt: 0, front: "f" });
  expect(await update(() => ({ generation: 5, endedAt: 5 }))).toEqual({ generation: 5, endedAt: 5 });
  expect(items.size).toBe(0);
});
