import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const docs = new URL("../../docs/", import.meta.url).pathname;
const read = (name: string): string => readFileSync(docs + name, "utf8");

const pages: readonly string[] = readdirSync(docs, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md") && name !== "README.md")
  .toSorted();

test("llms.txt has a title, a summary, and each page once with one line about it", () => {
  const lines = read("llms.txt").split("\n");
  expect([lines[0], lines[2]]).toEqual(["# Pawl", expect.stringMatching(/^> \S/)]);
  const entries = lines.filter((line) => line.startsWith("- "));
  const links = entries.map((entry) => /^- \[[^\]]+\]\(([^)]+)\): \S/.exec(entry)?.[1] ?? entry);
  expect(links.toSorted()).toEqual(pages);
});

test("the index for people leads to every page but the decisions, which it names together", () => {
  const links = [...read("README.md").matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
  const wanted: readonly string[] = [
    ...pages.filter((name) => !name.startsWith("decisions/")),
    "decisions/",
    "llms.txt",
  ];
  expect(links.toSorted()).toEqual(wanted.toSorted());
});
