import type { SessionId } from "@pawl/storage";
import { expect, it } from "vitest";
import { createChallenges } from "../../src/binding/challenges.js";
import { parseMasterKeys } from "../../src/index.js";
import { MINUTE, StandingClock } from "../standing-clock.js";

const key = (fill: number) => parseMasterKeys(Buffer.alloc(32, fill).toString("base64"));
const ID = "0b9d5f6a-1f5e-4c7e-8f0a-2f8f3f1a9c11" as SessionId;
const OTHER = "0b9d5f6a-1f5e-4c7e-8f0a-2f8f3f1a9c12" as SessionId;
const SESSION = { id: ID, next: 7 };

const open = (keys = key(7)) => {
  const clock = new StandingClock();
  return { clock, challenges: createChallenges({ keys }, clock) };
};

it("says which session may be bound, and with which newest token", () => {
  const { challenges } = open();
  for (const session of [SESSION, { id: OTHER, next: 0 }, { id: ID, next: 2 ** 48 - 1 }])
    expect(challenges.registrable(challenges.toRegister(session))).toEqual(session);
});

it("knows a challenge to refresh by its session", () => {
  const { challenges } = open();
  const challenge = challenges.toRefresh(ID);
  expect(challenges.refreshes(challenge, ID)).toBe(true);
  expect(challenges.refreshes(challenge, OTHER)).toBe(false);
});

it("takes none for the other purpose", () => {
  const { challenges } = open();
  expect(challenges.registrable(challenges.toRefresh(ID))).toBeUndefined();
  expect(challenges.refreshes(challenges.toRegister(SESSION), ID)).toBe(false);
});

it("holds for 5 minutes, and as long before, for clocks of nodes differ", () => {
  const { clock, challenges } = open();
  const [register, refresh] = [challenges.toRegister(SESSION), challenges.toRefresh(ID)];
  const holds = () => [challenges.registrable(register) !== undefined, challenges.refreshes(refresh, ID)];
  for (const [ms, held] of [
    [5 * MINUTE, true],
    [1, false],
    [-10 * MINUTE - 1, true],
    [-1, false],
  ] as const) {
    clock.advance(ms);
    expect(holds()).toEqual([held, held]);
  }
});

it("takes none that is changed anywhere, spelled otherwise, or of another master key; and one of an older master key", () => {
  const { challenges } = open();
  const [register, refresh] = [challenges.toRegister(SESSION), challenges.toRefresh(ID)];
  const isTaken = (challenge: string, by = challenges) =>
    by.registrable(challenge) !== undefined || by.refreshes(challenge, ID);
  for (const challenge of [register, refresh]) {
    const bytes = Buffer.from(challenge, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isTaken(changed.toString("base64url"))).toBe(false);
    }
    for (const other of [`${challenge}=`, ` ${challenge}`, challenge.slice(0, -1), `${challenge}A`, ""])
      expect(isTaken(other)).toBe(false);
    expect(isTaken(challenge, open(key(8)).challenges)).toBe(false);
    expect(isTaken(challenge, open([...key(8), ...key(7)]).challenges)).toBe(true);
  }
});
