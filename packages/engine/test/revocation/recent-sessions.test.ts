import { millis } from "@pawl/storage";
import { describe, expect, it } from "vitest";
import type { SessionHandle } from "../../src/index.js";
import { createRecentSessions } from "../../src/revocation/recent-sessions.js";

const KEPT = 1000;
const handles = Array.from({ length: 2000 }, (_, index) => `${crypto.randomUUID()}${index % 2 === 0 ? "" : "_acme"}`);
const all = [...handles, "short", ""] as SessionHandle[];

describe("what is known of sessions for a while", () => {
  it("is kept apart for each of many", () => {
    const recent = createRecentSessions<SessionHandle>(KEPT);
    for (const handle of all) recent.set(handle, handle, millis(0));
    expect(all.map((handle) => recent.get(handle, millis(KEPT)))).toStrictEqual(all);
    expect(recent.get(crypto.randomUUID() as SessionHandle, millis(0))).toBeUndefined();
  });

  it.each([
    ["at the beginning of a generation", 0],
    ["at its end", KEPT - 1],
  ])("is kept as long as it has to be, and not for twice that and more: said %s", (_, at) => {
    const recent = createRecentSessions<number>(KEPT);
    const [first, second] = all as [SessionHandle, SessionHandle];
    recent.set(first, 1, millis(0));
    recent.set(second, 2, millis(at));
    expect(recent.get(second, millis(at + KEPT))).toBe(2);
    expect(recent.get(second, millis(at + 2 * KEPT))).toBeUndefined();
  });

  it("is forgotten where nobody asked for long", () => {
    const recent = createRecentSessions<number>(KEPT);
    const [first] = all as [SessionHandle];
    recent.set(first, 1, millis(0));
    expect(recent.get(first, millis(5 * KEPT))).toBeUndefined();
    recent.set(first, 2, millis(5 * KEPT));
    expect(recent.get(first, millis(6 * KEPT))).toBe(2);
  });
});
