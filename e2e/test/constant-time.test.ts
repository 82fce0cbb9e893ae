import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

/** What is secret, or says something about a secret, by the last part of its name. */
const SECRET =
  /(?:^|\.)(?:\w*secret|secretHash|antiCsrf|antiCsrfToken|apiKey|apiKeys|digest|mac|signature|masterKey|password|refreshToken|accessToken|token)$/iu;

/** Comparisons that tell an attacker nothing, by file and text, each with its reason. */
const HARMLESS: Readonly<Record<string, string>> = {
  "core/src/transfer/supertokens-import.ts: ?.secretHash === record.secretHash":
    "whether an operator's import found a row as an earlier one left it",
  "engine/src/identity-provider/replay-memory.ts: known === digest":
    "digests of logout tokens that their provider's signature was found on",
  "engine/src/tokens/jwt.ts: bytes.toString(encoding) !== parts.signature":
    "both sides are what the caller sent, spelled anew",
  "engine/src/verification/verification-cache.ts: entry?.token === token":
    "reached only by somebody who has the last 32 characters",
};

const sources = (): readonly string[] =>
  readdirSync(`${root}packages`, { recursive: true, encoding: "utf8" }).filter((path) =>
    /^[\w-]+\/src\/.*\.ts$/u.test(path),
  );

const comparisons = /([\w.?]+(?:\([\w.]*\))?) [!=]== ([\w.?"'`]+)/gu;
const isPlain = (operand: string): boolean => /^(?:undefined|null|true|false|typeof|["'`\d].*)$/u.test(operand);

test("secrets are compared in constant time: no === between two of them (GHSA-92vm-wfm5-mxvv)", () => {
  const found = new Set<string>();
  for (const file of sources()) {
    const text = readFileSync(`${root}packages/${file}`, "utf8");
    for (const [comparison, left = "", right = ""] of text.matchAll(comparisons)) {
      const isSecret = SECRET.test(left) || SECRET.test(right);
      if (isSecret && !isPlain(left) && !isPlain(right)) found.add(`${file}: ${comparison}`);
    }
  }
  expect([...found].toSorted()).toEqual(Object.keys(HARMLESS).toSorted());
});
