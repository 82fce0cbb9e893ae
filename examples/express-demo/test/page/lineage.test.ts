import { describe, expect, it } from "vitest";
import { forecastReplay } from "../../src/page/forecast.js";
import {
  beginLineage,
  confirmNewest,
  copyToken,
  endLineage,
  heldBy,
  type Lineage,
  loseAnswer,
  stateOf,
  turn,
} from "../../src/page/lineage.js";

const token = (seq: number, issuedAt = seq * 10_000) => ({ seq, fingerprint: `f${seq}`, issuedAt });
const login = (): Lineage => beginLineage(token(0), "login");
const turned = (...seqs: readonly number[]): Lineage =>
  seqs.reduce((lineage, seq) => turn(lineage, "you", token(seq)), login());
const states = (lineage: Lineage) =>
  [...new Set(lineage.tokens.map(({ seq }) => seq))].map((seq) => stateOf(lineage, seq));

describe("lineage of refresh tokens", () => {
  it("keeps the token before the newest good until the newest was used", () => {
    expect(states(login())).toEqual(["newest"]);
    expect(states(turned(1, 2))).toEqual(["spent", "accepted", "newest"]);
    expect(states(confirmNewest(turned(1, 2), 2))).toEqual(["spent", "spent", "newest"]);
  });

  it("does not take the use of an older token for a proof", () => {
    expect(states(confirmNewest(turned(1, 2), 1))).toEqual(["spent", "accepted", "newest"]);
  });

  it("remembers from which token each one came", () => {
    expect(turned(1).tokens.map(({ seq, from }) => [seq, from?.seq])).toEqual([
      [0, undefined],
      [1, 0],
    ]);
  });

  it("takes the newest token anew when it comes back within the reuse window", () => {
    const lineage = turn(turned(1), "you", { seq: 1, fingerprint: "copy", issuedAt: 10_500 });
    expect(lineage.tokens).toHaveLength(2);
    expect(heldBy(lineage, "you")).toMatchObject({ fingerprint: "copy", issuedAt: 10_500, from: { seq: 0 } });
  });

  it("shows a lost answer, and the successor that a repeat brought", () => {
    const lost = loseAnswer(turned(1));
    expect(heldBy(lost, "you")?.seq).toBe(1);
    expect(lost.tokens.at(-1)).toMatchObject({ seq: 2, delivery: "lost" });
    expect(loseAnswer(lost)).toEqual(lost);
    expect(turn(lost, "you", token(2)).tokens.at(-1)).toMatchObject({
      seq: 2,
      delivery: "asked_again",
      from: { seq: 1 },
    });
  });

  it("leaves the lost one where it was when the repeat came after the reuse window", () => {
    const lineage = turn(loseAnswer(turned(1)), "you", token(3));
    expect(lineage.tokens.map(({ seq, delivery }) => [seq, delivery])).toEqual([
      [0, "arrived"],
      [1, "arrived"],
      [2, "lost"],
      [3, "arrived"],
    ]);
  });

  it("drops a lost one that the server never made", () => {
    const lineage = turn(loseAnswer(turned(1)), "you", token(1));
    expect(lineage.newest).toBe(1);
    expect(lineage.tokens.some(({ delivery }) => delivery === "lost")).toBe(false);
  });

  it("gives the thief a lane of its own, which begins at the copied token", () => {
    const lineage = turn(copyToken(turned(1), { fingerprint: "f1", isWorthless: false }), "thief", token(2));
    expect(heldBy(lineage, "you")?.seq).toBe(1);
    expect(heldBy(lineage, "thief")).toMatchObject({ seq: 2, from: { holder: "thief", seq: 1 } });
  });

  it("ends once", () => {
    const end = { kind: "theft", by: "thief", seq: 0 } as const;
    expect(endLineage(endLineage(login(), end), { kind: "ended", label: "logged out" }).end).toEqual(end);
  });
});

describe("forecast of a replay", () => {
  const window = 2_000;
  const stolen = copyToken(turned(1), { fingerprint: "f1", isWorthless: false });
  const afterTurn = turn(stolen, "you", token(2));

  it.each([
    ["without a session", undefined, 0, "nothing"],
    ["without a stolen token", turned(1), 9_000, "nothing"],
    ["of the newest token", stolen, 9_000, "twin"],
    ["just after the turn", afterTurn, 2_000, "second_tab"],
    ["before the successor was used", afterTurn, 2_001, "unconfirmed"],
    ["after the successor was used", confirmNewest(afterTurn, 2), 2_001, "caught"],
    ["two turns later", turn(afterTurn, "you", token(3)), 0, "caught"],
    ["after the end", endLineage(afterTurn, { kind: "ended", label: "logged out" }), 9_000, "nothing"],
  ] as const)("%s", (_when, lineage, sinceTurn, expected) => {
    expect(forecastReplay(lineage, { sinceTurn, window, isBound: false })).toBe(expected);
  });

  it("of a copy without the key", () => {
    expect(forecastReplay(stolen, { sinceTurn: 0, window, isBound: true })).toBe("bound");
    expect(forecastReplay(turned(1), { sinceTurn: 0, window, isBound: true })).toBe("nothing");
  });
});
