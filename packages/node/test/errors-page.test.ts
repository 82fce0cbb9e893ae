import { readFileSync } from "node:fs";
import { endReasons } from "@pawl/storage";
import { expect, test } from "vitest";
import { errorAnswer, SessionError, type SessionErrorCode } from "../src/index.js";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

const [, section = ""] =
  /## Errors of `@pawl\/node`\n([^]*?)\n## /.exec(read("../../../docs/reference/errors.md")) ?? [];
/** The members of a union of texts. */
const union = (source: string, type: string): readonly string[] => {
  const [, members = ""] = new RegExp(`type ${type} =([^;]*);`).exec(source) ?? [];
  return [...members.matchAll(/"(\w+)"/g)].map(([, member = ""]) => member);
};

test("the page of errors holds each code with its status and message", () => {
  const rows = [...section.matchAll(/^\| `([A-Z_]+)` \| (\d+) \| ([^|]+) \|/gm)].map(([, ...cells]) => cells);
  const codes = union(read("../src/session-error.ts"), "SessionErrorCode") as SessionErrorCode[];
  const answers = codes.map((code) => {
    const { status, body } = errorAnswer(new SessionError(code, ""));
    return [code, String(status), (body as { message: string }).message];
  });
  expect(codes.length).toBeGreaterThan(5);
  expect(rows).toEqual(answers);
});

test("the page of errors holds each reason for which a session ends", () => {
  const [, table = ""] = section.split("| `reason` | The session ended because |");
  const reasons = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, reason = ""]) => reason);
  expect(reasons.toSorted()).toEqual(endReasons.toSorted());
});
