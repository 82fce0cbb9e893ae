import { decideRotation, decideUse, millis, type SessionRecord } from "../src/index.js";
import { sessionRow } from "./session-row.js";

/** One copy of a token as its holder sees it. */
export interface Copy {
  readonly seq: number;
  readonly iat: number;
  /** The token from which a refresh token was minted. */
  readonly parent?: number;
}

export interface RotationAnswer {
  readonly kind: string;
  /** Absent when the session was refused. */
  readonly refreshToken?: Copy;
  readonly accessToken?: Copy;
}

/** A row, a virtual clock and the decisions applied to it: the smallest server that speaks the protocol. */
export class Lineage {
  now = 1_800_000_000_000;
  readonly mints: number[] = [];
  #row: SessionRecord = sessionRow();
  readonly #commits: SessionRecord[] = [];
  readonly #window: number;

  constructor(window: number) {
    this.#window = window;
  }

  get row(): SessionRecord {
    return this.#row;
  }

  login(): Required<Omit<RotationAnswer, "kind">> {
    return { refreshToken: { seq: 0, iat: this.now }, accessToken: { seq: 0, iat: this.now } };
  }

  refresh(token: Copy): RotationAnswer {
    const presented = { ...token, iat: millis(token.iat), secretHash: "hash", window: millis(this.#window) };
    const decision = decideRotation(this.#row, presented, millis(this.now));
    const accessToken = (): Copy => ({ seq: this.#row.next, iat: this.now });
    switch (decision.kind) {
      case "mint":
        this.#commit({ current: token.seq, next: this.#row.next + 1, issuedAt: millis(this.now) });
        this.mints.push(this.now);
        return { kind: "mint", refreshToken: this.#newest(), accessToken: accessToken() };
      case "repeat":
        return { kind: "repeat", refreshToken: this.#newest(), accessToken: accessToken() };
      case "fast_forward":
        this.#commit({ next: decision.seq, current: decision.current, issuedAt: decision.issuedAt });
        return { kind: "fast_forward", refreshToken: this.#newest(), accessToken: accessToken() };
      case "keep":
        return { kind: "keep", refreshToken: token, accessToken: accessToken() };
      case "reuse":
        this.#commit({ endedAt: millis(this.now), endReason: "token_reuse" });
        return { kind: "reuse" };
      case "absent":
      case "forged":
      case "unproven":
        return { kind: decision.kind };
    }
  }

  use(token: Copy): void {
    const use = { seq: token.seq, iat: millis(token.iat), window: millis(this.#window) };
    if (decideUse(this.#row, use, millis(this.now)) === "confirm") this.#commit({ current: this.#row.next });
  }

  /** The store loses its newest commits, as an asynchronous replica does when it is promoted. */
  loseCommits(count: number): void {
    for (let lost = 0; lost < count; lost++) this.#row = this.#commits.pop() ?? this.#row;
  }

  #newest(): Copy {
    const { current, next } = this.#row;
    return { seq: next, iat: this.now, ...(current < next ? { parent: current } : {}) };
  }

  #commit(columns: Partial<SessionRecord>): void {
    this.#commits.push(this.#row);
    this.#row = { ...this.#row, ...columns };
  }
}
