import net from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VerifyOutcome } from "../../src/session.js";
import { StandingClock } from "../standing-clock.js";
import { makeKey, makeVerifier } from "../token-fixtures.js";
import { type Forgeries, forge, headerOf, realTokensAt, signedBy } from "./forged-tokens.js";

// A forger without a private key gets nothing accepted.

const clock = new StandingClock();
const rsa = makeKey("RS256", "s-rsa");
const ec = makeKey("ES256", "d-1");
const keys = [rsa, ec];
const verifier = makeVerifier(clock, keys);
const verify = (accessToken: string): VerifyOutcome => verifier.verify({ accessToken });
const real = realTokensAt(clock.now(), { rsa, ec });
const forgeries = forge({ rsa, ec, real });

let connections = 0;
const connect = net.Socket.prototype.connect;
beforeAll(() => {
  net.Socket.prototype.connect = function count(this: net.Socket): net.Socket {
    connections += 1;
    return this;
  } as typeof connect;
  // It does count: otherwise that nothing connected would say nothing.
  net.connect(1).destroy();
  expect(connections).toBe(1);
  connections = 0;
});
afterAll(() => {
  net.Socket.prototype.connect = connect;
});

it("the real tokens are accepted, so that what follows is refused for its forgery", () => {
  for (const token of Object.values(real) as readonly string[]) expect(verify(token).kind).toBe("valid");
  const [, body = ""] = real.v5.split(".");
  for (const key of keys) expect(verify(signedBy(key.privateKey, headerOf(key), body)).kind).toBe("valid");
});

const rules = [...new Set(forgeries.map(({ rule }) => rule))].map((rule): readonly [string, readonly Forgeries[]] => [
  rule,
  forgeries.filter((it) => it.rule === rule),
]);

describe.each(rules)("%s", (_, all) => {
  it.each(all)("$name", ({ tokens, why }) => {
    expect(tokens.length).toBeGreaterThan(0);
    for (const token of tokens) {
      const outcome = verify(token);
      expect(outcome.kind).toBe("try_refresh");
      expect(outcome).not.toMatchObject({ why: "expired" });
      if (why !== undefined) expect(outcome).toMatchObject({ why });
    }
  });
});

it.each(forgeries.filter(({ name }) => /^a megabyte|^dots up/.test(name)))(
  "$name: refused in less than a millisecond",
  ({ tokens: [token = ""] }) => {
    const times = Array.from({ length: 21 }, () => {
      const start = performance.now();
      expect(verify(token).kind).toBe("try_refresh");
      return performance.now() - start;
    });
    expect(times.toSorted((left, right) => left - right)[10]).toBeLessThan(1);
  },
);

it("no token made anything connect anywhere", () => {
  expect(connections).toBe(0);
});
