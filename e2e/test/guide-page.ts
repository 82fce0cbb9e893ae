import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = new URL("../..", import.meta.url).pathname;

/** The blocks of a page of the guide with one fence: what stands behind the three backticks, such as `js app.mjs`. */
const blocksOf = (page: string, fence: string): readonly string[] =>
  readFileSync(join(root, "docs/guide", page), "utf8")
    .split(`\`\`\`${fence}\n`)
    .slice(1)
    .map((rest) => rest.split("\n```")[0] ?? "");

/**
 * A block of a page of the guide, so that what readers are told is what is tested.
 * @param part what tells it from other blocks with the same fence.
 */
export const textOf = (page: string, fence: string, part = ""): string => {
  const block = blocksOf(page, fence).find((candidate) => candidate.includes(part));
  if (block === undefined) throw new Error(`${page} holds no block ${fence} with ${part}`);
  return `${block}\n`;
};

/**
 * Types the lines of a page that call its program with curl, one after another.
 * @returns what each printed, and what the page says it prints, behind a `#`.
 */
export const typeCurlLines = (page: string, fence: string, { folder, origin }: { folder: string; origin: string }) => {
  const lines = blocksOf(page, fence)
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith("curl "));
  if (lines.length === 0) throw new Error(`${page} holds no lines with curl`);
  const typed = lines.map((line) => {
    const [command = "", says] = line.replace(/http:\/\/localhost:\d+/, origin).split(" # ");
    const prints = execFileSync("sh", ["-c", command], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    return { command, prints, says };
  });
  return {
    printed: typed.map(({ command, prints }) => [command, prints]),
    told: typed.map(({ command, says }) => [command, says]),
  };
};
