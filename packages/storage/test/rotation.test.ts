import { describe, expect, it } from "vitest";
import {
  afterFastForward,
  afterMint,
  afterUse,
  decideRotation,
  decideUse,
  millis,
  NEVER,
  type PresentedToken,
  type RotationDecision,
  type SessionRecord,
} from "../src/index.js";
import { sessionRow } from "./session-row.js";

const NOW = 1_800_000_000_000;
const WINDOWS = [0, 1, 30_000, 300_000];

/** Every row and token around the borders of the table, `NOW` being the time of the decision. */
function* stateSpace(): Generator<{ readonly row: SessionRecord; readonly token: PresentedToken }> {
  for (const window of WINDOWS) {
    const around = (time: number): number[] => [time - 1, time, time + 1];
    const issueTimes = new Set([0, ...around(NOW - window), NOW, NOW + 1]);
    for (const issuedAt of issueTimes) {
      const sealTimes = new Set([
        0,
        ...around(issuedAt - window),
        ...around(issuedAt),
        ...around(NOW - window),
        NOW,
        NOW + 1,
      ]);
      for (const iat of sealTimes)
        for (let next = 0; next <= 4; next++)
          for (let current = 0; current <= next; current++)
            for (let seq = 0; seq <= 6; seq++) {
              const row = sessionRow({ current, next, issuedAt: millis(issuedAt) });
              const token = { seq, iat: millis(iat), secretHash: "hash", window: millis(window) };
              yield { row, token };
              if (seq > 0) yield { row, token: { ...token, parent: seq - 1 } };
              if (seq > 2) yield { row, token: { ...token, parent: seq - 3 } };
            }
    }
  }
}

type Position = "ahead" | "newest" | "confirmed" | "between" | "dead";
const positionOf = (row: SessionRecord, seq: number): Position => {
  if (seq > row.next) return "ahead";
  if (seq === row.next) return "newest";
  if (seq === row.current) return "confirmed";
  return seq > row.current ? "between" : "dead";
};

/** The same protocol, written as the table of the README and not as conditions. */
const oracle = (row: SessionRecord, token: PresentedToken): RotationDecision => {
  if (row.bound.length > 0 && token.proof !== row.bound) return { kind: "unproven" };
  const position = positionOf(row, token.seq);
  if (position === "ahead") {
    const isKnown = token.parent !== undefined && token.parent > row.current;
    const issuedAt = Math.min(NOW, Math.max(row.issuedAt, token.iat));
    return {
      kind: "fast_forward",
      seq: token.seq,
      current: isKnown ? token.parent : row.current,
      issuedAt: millis(issuedAt),
    };
  }
  if (position === "dead") return { kind: "reuse" };
  const mint = { kind: "mint", seq: token.seq } as const;
  const repeat = { kind: "repeat", seq: row.next } as const;
  if (token.window === 0) return position === "between" ? { kind: "reuse" } : mint;

  const youngIssue = NOW <= row.issuedAt + token.window;
  const youngCopy = NOW <= token.iat + token.window;
  const sealedShortlyBeforeItWasDisplaced = row.issuedAt <= token.iat + token.window;
  switch (position) {
    case "newest":
      return youngIssue || youngCopy ? { kind: "keep" } : mint;
    case "confirmed":
      return youngIssue ? repeat : mint;
    case "between":
      if (youngIssue) return repeat;
      return sealedShortlyBeforeItWasDisplaced ? mint : { kind: "reuse" };
  }
};

describe("decideRotation", () => {
  it("agrees with the table for every state around the borders", () => {
    const seen = new Map<string, number>();
    for (const { row, token } of stateSpace()) {
      const decision = decideRotation(row, token, millis(NOW));
      seen.set(decision.kind, (seen.get(decision.kind) ?? 0) + 1);
      const expected = oracle(row, token);
      if (JSON.stringify(decision) !== JSON.stringify(expected))
        expect({ row, token, decision }).toEqual({ row, token, decision: expected });
    }
    expect([...seen.keys()].toSorted()).toEqual(["fast_forward", "keep", "mint", "repeat", "reuse"]);
    for (const count of seen.values()) expect(count).toBeGreaterThan(100);
  });

  it("agrees with the table for sessions that are bound, whatever proved the attempt, and heeds no proof for others", () => {
    const pairs = ["", "key"].flatMap((bound) =>
      [undefined, "", "key", "keys", "KEY"].map((proof) => ({ bound, proof })),
    );
    const unproven = new Set<string>();
    for (const { row, token } of stateSpace())
      for (const { bound, proof } of pairs) {
        const decision = decideRotation({ ...row, bound }, { ...token, proof }, millis(NOW));
        const expected = oracle({ ...row, bound }, { ...token, proof });
        if (decision.kind === "unproven") unproven.add(`${bound} ${proof}`);
        if (JSON.stringify(decision) !== JSON.stringify(expected))
          expect({ row, token, bound, proof, decision }).toEqual({ row, token, bound, proof, decision: expected });
      }
    expect([...unproven]).toEqual(["key undefined", "key ", "key keys", "key KEY"]);
  });

  it("says of a bound session that is over, or of a forged token, what it says of any", () => {
    const token = { seq: 0, iat: millis(0), secretHash: "hash", window: millis(0) };
    const bound = sessionRow({ bound: "key" });
    expect(decideRotation({ ...bound, expiresAt: millis(NOW) }, token, millis(NOW))).toEqual({ kind: "absent" });
    expect(decideRotation(bound, { ...token, secretHash: "other" }, millis(NOW))).toEqual({ kind: "forged" });
  });

  it("treats every row that is not live as absent, whatever the token says", () => {
    const dead: readonly SessionRecord[] = [
      sessionRow({ endedAt: millis(NOW - 1), endReason: "logout" }),
      sessionRow({ expiresAt: millis(NOW) }),
      sessionRow({ idleExpiresAt: millis(NOW) }),
    ];
    for (const window of WINDOWS)
      for (const seq of [0, 1, 5])
        for (const secretHash of ["hash", "other"]) {
          const token = { seq, iat: millis(0), secretHash, window: millis(window) };
          expect(decideRotation(undefined, token, millis(NOW))).toEqual({ kind: "absent" });
          for (const row of dead) expect(decideRotation(row, token, millis(NOW))).toEqual({ kind: "absent" });
        }
    const lastInstant = sessionRow({ expiresAt: millis(NOW + 1), idleExpiresAt: NEVER });
    expect(
      decideRotation(lastInstant, { seq: 0, iat: millis(0), secretHash: "hash", window: millis(0) }, millis(NOW)).kind,
    ).toBe("mint");
  });

  it("never alarms, mints or fast-forwards for a token without the session's secret", () => {
    for (const { row, token } of stateSpace())
      for (const secretHash of ["", "hasi", "hash ", "hashhash"])
        if (decideRotation(row, { ...token, secretHash }, millis(NOW)).kind !== "forged")
          expect({ row, token }).toBe("forged");
  });
});

describe("decideUse", () => {
  it("confirms a settled use of the newest token of a live, unconfirmed row, and of one that was bypassed", () => {
    const confirmed = { newest: 0, between: 0 };
    for (const { row, token } of stateSpace()) {
      const settled = token.window === 0 || NOW > token.iat + token.window;
      const position = positionOf(row, token.seq);
      const longBeforeItWasDisplaced = token.window > 0 && row.issuedAt > token.iat + token.window;
      const arrived =
        (position === "newest" && row.current !== row.next) || (position === "between" && longBeforeItWasDisplaced);
      const expected = arrived && settled ? "confirm" : "nothing";
      if (expected === "confirm") confirmed[position as "newest" | "between"]++;
      if (decideUse(row, token, millis(NOW)) !== expected) expect({ row, token }).toBe(expected);
      if (decideUse({ ...row, expiresAt: millis(NOW) }, token, millis(NOW)) !== "nothing")
        expect({ row, token }).toBe("nothing");
    }
    expect(confirmed.newest).toBeGreaterThan(100);
    expect(confirmed.between).toBeGreaterThan(100);
    expect(decideUse(undefined, { seq: 0, iat: millis(0), window: millis(0) }, millis(NOW))).toBe("nothing");
  });
});

describe("a row after a decision", () => {
  const now = millis(NOW);
  const row = sessionRow({ current: 1, next: 3, createdAt: millis(NOW - 1_000), lastActiveAt: millis(NOW - 1_000) });

  it("has one token more, new ends and its key after a mint", () => {
    const minted = { ...row, current: 2, next: 4, issuedAt: now, expiresAt: millis(NOW + 500) };
    const lifetimes = { refreshValidity: millis(500) };
    expect(afterMint(row, { seq: 2, lifetimes, now })).toEqual(minted);
    const limited = { ...lifetimes, idleTimeout: millis(200), absoluteTimeout: millis(1_300) };
    expect(afterMint(row, { seq: 2, lifetimes: limited, keyKind: "static", now })).toEqual({
      ...minted,
      expiresAt: millis(NOW + 300),
      idleExpiresAt: millis(NOW + 200),
      keyKind: "static",
    });
    const longer = { ...lifetimes, absoluteTimeout: millis(2_000) };
    expect(afterMint(row, { seq: 2, lifetimes: longer, now })).toEqual(minted);
  });

  it("is where the lost rotation had left it after a fast-forward", () => {
    const at = { seq: 7, current: 6, issuedAt: millis(NOW - 5) };
    expect(afterFastForward(row, at)).toEqual({ ...row, current: 6, next: 7, issuedAt: millis(NOW - 5) });
  });

  it("is confirmed, or active, or both after a use, and else the same object", () => {
    const use = (seq: number, activityInterval: number, idleTimeout?: number) =>
      afterUse(
        row,
        { id: row.id, seq, iat: millis(0) },
        {
          now,
          window: millis(30_000),
          activityInterval: millis(activityInterval),
          ...(idleTimeout === undefined ? {} : { idleTimeout: millis(idleTimeout) }),
        },
      );
    const active = { lastActiveAt: now, idleExpiresAt: millis(NOW + 200) };
    expect(use(1, 1_001)).toBe(row);
    expect(use(3, 1_001)).toEqual({ ...row, current: 3 });
    expect(use(1, 1_000, 200)).toEqual({ ...row, ...active });
    expect(use(1, 1_000)).toEqual({ ...row, lastActiveAt: now });
    expect(use(3, 1_000, 200)).toEqual({ ...row, ...active, current: 3 });
  });
});
