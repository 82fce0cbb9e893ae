import { expect, test } from "vitest";
import { init } from "../src/index.js";

// This file runs in Node, which has no location, as a server does that renders pages.
test.each([{}, { apiDomain: "https://api.example.com" }])(
  "init(%j) on a server touches nothing global and knows of nobody",
  async (options) => {
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
    session.onEvent(() => undefined)();
    session.close();
  },
);

test("what cannot be done there says so", async () => {
  const session = init();
  const asked = [session.attemptRefresh(), session.signOut()];
  for (const answer of asked) await expect(answer).rejects.toThrow("@pawl/web needs a page");
});
