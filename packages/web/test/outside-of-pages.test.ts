import { expect, test } from "vitest";
import { headerTokens } from "../src/header.js";
import { init } from "../src/index.js";

const none = async () => null;
/** Where tokens could be kept, but for which API? */
const store = { getItemAsync: none, setItemAsync: async () => undefined, deleteItemAsync: async () => undefined };

// This file runs in Node, which has no location, as a server does that renders pages.
test.each([
  {},
  { apiDomain: "https://api.example.com" },
  { apiDomain: "https://api.example.com", tokens: headerTokens({ persist: true }) },
  { tokens: headerTokens({ store }) },
])("init(%j) on a server touches nothing global and knows of nobody", async (options) => {
  const { fetch } = globalThis;
  const names = Object.getOwnPropertyNames(globalThis);
  const session = init(options);
  expect(globalThis.fetch).toBe(fetch);
  expect(Object.getOwnPropertyNames(globalThis)).toEqual(names);
  expect(session.fetch).toBe(fetch);
  expect([await session.doesSessionExist(), await session.getUserId(), await session.getPayload()]).toEqual([
    false,
    undefined,
    undefined,
  ]);
  const { subscribe, getSnapshot, getServerSnapshot } = session;
  expect([getSnapshot(), getServerSnapshot()]).toEqual([{ status: "unknown" }, { status: "unknown" }]);
  expect(getSnapshot()).toBe(getSnapshot());
  session.onEvent(() => undefined)();
  subscribe(() => undefined)();
  session.close();
});

test("what cannot be done there says so", async () => {
  const session = init();
  const asked = [session.attemptRefresh(), session.signOut()];
  for (const answer of asked) await expect(answer).rejects.toThrow("@pawl/web needs a page, or apiDomain and tokens");
});
