/** @param {number} value @param {number} [digits] significant ones */
export const rounded = (value, digits = 3) => Number(value.toPrecision(digits));

/** @param {number} micros */
export const formatMicros = (micros) => `${micros >= 1000 ? rounded(micros, 4) : rounded(micros)} µs`;

/** @param {number} perSecond */
export const formatRate = (perSecond) => Math.round(rounded(perSecond)).toLocaleString("en-US");

/** @param {number} ratio */
export const formatRatio = (ratio) => `${ratio < 2 ? ratio.toFixed(3) : rounded(ratio)} ×`;

/** @param {number} memoryMb */
export const formatMemory = (memoryMb) => `${Math.round(memoryMb)} MB`;

/** @param {number | undefined} micros */
export const formatLatency = (micros) =>
  micros === undefined ? "–" : micros >= 1000 ? `${rounded(micros / 1000)} ms` : formatMicros(micros);
