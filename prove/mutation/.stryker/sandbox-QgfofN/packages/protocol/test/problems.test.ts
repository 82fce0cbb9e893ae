import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { problems } from "../src/index.js";

test("the page of errors and the table of problems say the same, both ways", () => {
  const page = readFileSync(new URL("../../../docs/reference/errors.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| ([^|]+) \|/gm)].map(([, code, status, title]) => [
    code,
    { status: Number(status), title: title?.trim() },
  ]);
  expect(rows).toHaveLength(Object.keys(problems).length);
  expect(Object.fromEntries(rows)).toEqual(problems);
});

test("every status is one of an error, and codes are words", () => {
  for (const [code, { status, title }] of Object.entries(problems)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
  }
});
