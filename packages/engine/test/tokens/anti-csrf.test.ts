import { createHash } from "node:crypto";
import type { SessionId } from "@pawl/storage";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { antiCsrfToken, antiCsrfTokenMatches } from "../../src/tokens/anti-csrf.js";
import { secretHash } from "../../src/tokens/refresh-token.js";
import { SESSION_ID } from "../token-fixtures.js";

const secret = Buffer.alloc(32, 9);

describe("the anti-CSRF token", () => {
  it("is a UUID, the same for a session always, another for another session or secret", () => {
    const token = antiCsrfToken(secret, SESSION_ID);
    expect(token).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(antiCsrfToken(Buffer.from(secret), SESSION_ID)).toBe(token);
    expect(antiCsrfToken(Buffer.alloc(32, 8), SESSION_ID)).not.toBe(token);
    expect(antiCsrfToken(secret, "3f2a7c11-5b0e-4d6a-9c3f-0a1b2c3d4e50" as SessionId)).not.toBe(token);
  });

  it("keeps its value from release to release", () => {
    expect(antiCsrfToken(secret, SESSION_ID)).toBe("41abafcc-2921-4832-8d61-5a69234be7d2");
  });

  it("shares nothing with what the row holds", () => {
    const token = antiCsrfToken(secret, SESSION_ID).replaceAll("-", "");
    const hash = Buffer.from(secretHash(secret), "base64url");
    expect(hash.toString("hex")).not.toContain(token.slice(0, 8));
    expect(createHash("sha256").update(hash).digest("hex")).not.toContain(token.slice(0, 8));
  });
});

describe("comparing", () => {
  it("accepts the equal token only", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), (expected, other) => {
        expect(antiCsrfTokenMatches(expected, String(expected))).toBe(true);
        expect(antiCsrfTokenMatches(expected, other)).toBe(expected === other);
      }),
    );
  });

  it("accepts nothing where either is missing, also nothing for nothing", () => {
    expect(antiCsrfTokenMatches(undefined, undefined)).toBe(false);
    expect(antiCsrfTokenMatches("a", undefined)).toBe(false);
    expect(antiCsrfTokenMatches(undefined, "a")).toBe(false);
    expect(antiCsrfTokenMatches("a", "")).toBe(false);
  });

  it("takes texts of one length in characters but not in bytes", () => {
    expect(antiCsrfTokenMatches("aaaa", "aaaé")).toBe(false);
  });
});
