/** The value below which a part of all lies. @param {ArrayLike<number>} values @param {number} part */
export const quantile = (values, part) => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
};
