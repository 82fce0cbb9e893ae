import type { Terminal } from "./terminal.js";

/** Shows how far something has come. */
interface Progress {
  /** @param done of the total, in the same unit. */
  show(done: number, text: string): void;
  /** Takes the bar away. */
  clear(): void;
}

const WIDTH = 30;
const INTERVAL_MS = 100;

/**
 * A bar on standard error, where a person sits before it; elsewhere nothing.
 * @param options.total undefined where it is not known: then without a bar.
 */
export const createProgress = (
  { stderr }: Pick<Terminal, "stderr">,
  { total, quiet }: { readonly total: number | undefined; readonly quiet: boolean },
): Progress => {
  const isSeen = !quiet && (stderr as { readonly isTTY?: boolean }).isTTY === true;
  let shownAt = Number.NEGATIVE_INFINITY;
  return {
    show(done, text) {
      const now = performance.now();
      if (!isSeen || now - shownAt < INTERVAL_MS) return;
      shownAt = now;
      const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
      const filled = Math.floor(share * WIDTH);
      const bar = `[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${Math.floor(share * 100)} % `;
      stderr.write(`\r\u001b[K${total === undefined ? "" : bar}${text}`);
    },
    clear() {
      if (isSeen && shownAt !== Number.NEGATIVE_INFINITY) stderr.write("\r\u001b[K");
    },
  };
};
