import { expect, it } from "vitest";
import { coreDurations } from "../../src/options/backend-options.js";
import { createPawl } from "../../src/pawl.js";

it("gives the engine the rules that were given", async () => {
  await using pawl = createPawl({ storage: "memory:", accessTokenValidity: "5m" });
  const { issuedAt, expiresAt } = await pawl.tokens.create({ userId: "alice", payload: {} });
  expect(expiresAt - issuedAt).toBe(300_000);
});

it("gives the client of a core its durations in ms, and the defaults of the table", () => {
  expect(coreDurations({ core: ["http://127.0.0.1"], callTimeout: "2s", feedCutAfter: 7 })).toEqual({
    tryTimeout: 5000,
    callTimeout: 2000,
    feedCutAfter: 7,
  });
});

it.each([
  ["/auth", "/session", false],
  ["/auth/", "/session/refresh", false],
  ["/auth", "/api/session", false],
  ["/auth", "/auth/session", true],
  ["/auth", "/proxied/auth/session/refresh", true],
  ["/auth", "/auth", true],
  [undefined, "/session", true],
  [undefined, "/mounted/session", true],
])(
  "below the base path %s a refresh cookie with the path %s reaches its route: %s",
  (basePath, refreshPath, isRight) => {
    const create = (): unknown => createPawl({ storage: "memory:", basePath, cookies: { refreshPath } });
    if (isRight) expect(create).not.toThrow();
    else expect(create).toThrow(/cookies\.refreshPath .* "\/auth\/session\/refresh"/u);
  },
);
