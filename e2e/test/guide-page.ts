import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = new URL("../..", import.meta.url).pathname;

/**
 * A block of a page of the guide, so that what readers are told is what is tested.
 * @param fence what stands behind the three backticks, such as `js app.mjs`.
 * @param part what tells it from other blocks with the same fence.
 */
export const textOf = (page: string, fence: string, part = ""): string => {
  const text = readFileSync(join(root, "docs/guide", page), "utf8");
  const blocks = text
    .split(`\`\`\`${fence}\n`)
    .slice(1)
    .map((rest) => rest.split("\n```")[0] ?? "");
  const block = blocks.find((candidate) => candidate.includes(part));
  if (block === undefined) throw new Error(`${page} holds no block ${fence} with ${part}`);
  return `${block}\n`;
};
