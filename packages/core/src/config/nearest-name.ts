/** How many insertions, deletions, replacements and swaps of neighbours turn `a` into `b` (optimal string alignment). */
const editDistance = (a: string, b: string): number => {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const edited = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : edited;
      next.push(Math.min(edited, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
};

/** The name that was most likely meant by `name`: at most a third of it differs. */
export const nearestName = <Name extends string>(name: string, names: readonly Name[]): Name | undefined => {
  if (name.length > 64) return undefined;
  const written = name.toLowerCase().replaceAll(/[-\s]/g, "_");
  const ranked = names
    .map((candidate) => ({ candidate, distance: editDistance(written, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.candidate : undefined;
};
