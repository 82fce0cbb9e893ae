import { MemoryStorage } from "@pawl/storage";
import { expect, it } from "vitest";
import { coreDurations } from "../../src/options/backend-options.js";
import { createPawl } from "../../src/pawl.js";
import { testClock } from "../clock.js";

const DAY = 86_400_000;

it("gives the engine the rules that were given", async () => {
  await using pawl = createPawl({ storage: "memory:", accessTokenValidity: "5m" });
  const { issuedAt, expiresAt } = await pawl.tokens.create({ userId: "alice", payload: {} });
  expect(expiresAt - issuedAt).toBe(300_000);
});

it.each([
  ["nist-aal1", { absoluteTimeout: 30 * DAY }],
  ["nist-aal2", { absoluteTimeout: DAY, idleTimeout: DAY / 24 }],
  ["nist-aal3", { absoluteTimeout: DAY / 2, idleTimeout: DAY / 96 }],
] as const)("%s ends sessions at its limits, and refuses longer ones", async (preset, limits) => {
  const clock = testClock();
  const storage = new MemoryStorage({ clock });
  const masterKey = Buffer.alloc(32, 7).toString("base64");
  await using pawl = createPawl({ storage, masterKey, clock, preset });
  const login = await pawl.tokens.create({ userId: "alice", payload: {} });
  const life = Math.min(...Object.values(limits));
  clock.advance(life - 1);
  expect(await pawl.sessions.get(login.handle)).toBeDefined();
  clock.advance(1);
  expect(await pawl.sessions.get(login.handle)).toBeUndefined();
  await expect(pawl.tokens.refresh(login.refreshToken)).rejects.toMatchObject({ code: "UNAUTHORISED" });

  for (const [rule, most] of Object.entries(limits))
    expect(() => createPawl({ storage, masterKey, preset, [rule]: most + 1 })).toThrow(
      `${rule} (ms) must be at most ${most} with the preset ${preset}`,
    );
});

it("refuses a preset that there is none of, and acting for longer than a day", () => {
  const create = (options: object) => () => createPawl({ storage: "memory:", ...options });
  expect(create({ preset: "nist" })).toThrow('preset must be one of "nist-aal1", "nist-aal2", "nist-aal3", not "nist"');
  expect(create({ longestActing: "25h" })).toThrow("longestActing (ms) must be a whole number of at least 60000");
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
