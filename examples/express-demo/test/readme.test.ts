import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const readme = read("README.md");
const flat = (text: string): string => text.replace(/\s+/g, " ");
const sources = flat(
  readdirSync(new URL("src", root))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => read(`src/${name}`))
    .join("\n"),
);

it.each([...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? ""))(
  "excerpt %# stands in the code",
  (code) => {
    expect(sources).toContain(flat(code).trim());
  },
);

it("names files that exist", () => {
  const links = [...readme.matchAll(/\]\((\.\.[^)]+)\)/g)].map(([, path]) => path ?? "");
  const files = [...readme.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, path]) => path ?? "");
  expect(links.length).toBeGreaterThan(4);
  for (const path of [...links, ...files]) expect(existsSync(new URL(path, root)), path).toBe(true);
});

it("explains every button of the page", () => {
  const page = flat(read("public/index.html"));
  const labels = [...page.matchAll(/<button[^>]*>([^<]+)<\/button>/g)].map(([, label]) => (label ?? "").trim());
  expect(labels).toHaveLength(16);
  for (const label of labels.filter((label) => label !== "Log in")) expect(readme).toContain(label);
});
