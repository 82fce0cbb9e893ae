import { expect } from "vitest";
import { decodeToken, type DecodedToken } from "./exchanges.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What a value has to look like that stands for a name, by the letters the name begins with. */
const forms: Readonly<Record<string, RegExp>> = {
  AT: /^[\w+/-]+={0,2}\.[\w+/-]+={0,2}\.[\w+/-]+={0,2}$/,
  RT: /^pawl_rt_1\.[\w-]+$/,
  IDRT: UUID,
  HANDLE: UUID,
  CSRF: UUID,
  MODULUS: /^[\w-]{342}$/,
  "RSA-PUBLIC-KEY-BASE": BASE64,
};

/** Names that stand for the same value wherever they appear; a token may be made anew. */
const lasting = ["HANDLE", "CSRF"];

/** Points in time: only how far they lie apart can be the same. */
const times = new Set([
  "expiry",
  "createdTime",
  "timeCreated",
  "expiryTime",
  "createdAt",
  "jwtSigningPublicKeyExpiryTime",
  "exp",
  "iat",
]);

/** Runs recorded requests again: knows what the recorded names stand for here. */
export class Replay {
  readonly #values = new Map<string, string>();

  /** Puts what is known here in the place of the recorded names. */
  fill(text: string): string {
    return text.replace(/<([A-Z]+\d+)>/g, (whole, name: string) => this.#values.get(name) ?? whole);
  }

  value(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`nothing is known of ${name} yet`);
    return value;
  }

  /** From now on each name stands for what the other one did. */
  swap(one: string, other: string): void {
    const [left, right] = [this.value(one), this.value(other)];
    this.#values.set(one, right).set(other, left);
  }

  /** Compares keys, types, constants and distances of times, and remembers what the recorded names stand for here. */
  compare(answered: unknown, recorded: unknown, at = "answer"): void {
    if (Array.isArray(recorded)) {
      expect(Array.isArray(answered), `${at} is a list`).toBe(true);
      expect(answered, at).toHaveLength(recorded.length);
      // The order of handles says nothing.
      if (recorded.every((value) => typeof value === "string" && value.startsWith("<HANDLE")))
        return expect((answered as string[]).toSorted()).toEqual(recorded.map((value) => this.fill(value)).toSorted());
      for (const [index, value] of recorded.entries())
        this.compare((answered as unknown[])[index], value, `${at}[${index}]`);
      return;
    }
    if (typeof recorded === "object" && recorded !== null) {
      const [mine, theirs] = [answered, recorded] as Readonly<Record<string, unknown>>[];
      expect(typeof mine, at).toBe("object");
      expect(Object.keys(mine ?? {}).toSorted(), `members of ${at}`).toEqual(Object.keys(theirs ?? {}).toSorted());
      for (const [name, value] of Object.entries(theirs ?? {})) this.compare(mine?.[name], value, `${at}.${name}`);
      this.#compareLives(mine ?? {}, theirs ?? {}, at);
      return;
    }
    const [member = ""] = /\w+$/.exec(at) ?? [];
    const [, name] = (typeof recorded === "string" && /^<([A-Z-]+\d*)>$/.exec(recorded)) || [];
    if (name !== undefined) this.#bind(name, answered, at);
    else if (member === "kid") expect(String(answered).slice(0, 2), at).toBe(String(recorded).slice(0, 2));
    else if (times.has(member)) expect(Number.isSafeInteger(answered), `${at} is a time`).toBe(true);
    else expect(answered, at).toEqual(recorded);
  }

  /** Compares an access token with a recorded one: sequence numbers, with a version, take the place of hashes. */
  compareToken(token: string, { header, payload }: DecodedToken): void {
    const mine = decodeToken(token);
    this.compare(mine.header, header, "header");
    const { refreshTokenHash1, parentRefreshTokenHash1, ...others } = mine.payload;
    const { refreshTokenHash1: hash, parentRefreshTokenHash1: parentHash, ...recorded } = payload;
    expect(typeof hash).toBe("string");
    expect(refreshTokenHash1).toMatch(/^\d+(?:v[1-9]\d*)?$/);
    if (typeof parentHash === "string") expect(parentRefreshTokenHash1).toMatch(/^\d+$/);
    else expect(parentRefreshTokenHash1).toBe(parentHash);
    this.compare(others, recorded, "token");
  }

  #compareLives(mine: Readonly<Record<string, unknown>>, theirs: Readonly<Record<string, unknown>>, at: string): void {
    for (const [end, start] of [
      ["expiry", "createdTime"],
      ["exp", "iat"],
      ["expiryTime", "timeCreated"],
      ["expiryTime", "createdAt"],
    ] as const)
      if (typeof theirs[end] === "number" && typeof theirs[start] === "number")
        expect(Number(mine[end]) - Number(mine[start]), `life of ${at}`).toBe(theirs[end] - theirs[start]);
  }

  #bind(name: string, value: unknown, at: string): void {
    const form = forms[name.replace(/\d+$/, "")];
    if (form === undefined) throw new Error(`nothing is known of names like ${name}`);
    expect(value, at).toMatch(form);
    const known = this.#values.get(name);
    if (known !== undefined && lasting.some((prefix) => name.startsWith(prefix))) expect(value, at).toBe(known);
    this.#values.set(name, String(value));
  }
}
