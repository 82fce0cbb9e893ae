import { formatMemory, formatMicros, formatRate, formatRatio } from "./figures.mjs";

export const goal = (/** @type {string} */ text, /** @type {string} */ measured, /** @type {boolean} */ met) => ({
  text,
  measured,
  met,
});

/** What is asked of a figure, and whether it is so. */
export const cpuAtMost = (/** @type {string} */ text, /** @type {number} */ micros, /** @type {number} */ limit) =>
  goal(`${text} ≤ ${limit} µs`, formatMicros(micros), micros <= limit);

export const timeAtMost = (/** @type {string} */ text, /** @type {number} */ micros, /** @type {number} */ limit) =>
  goal(`${text} ≤ ${limit} µs of time`, formatMicros(micros), micros <= limit);

export const ratioAtMost = (/** @type {string} */ text, /** @type {number} */ ratio, /** @type {number} */ limit) =>
  goal(`${text} ≤ ${limit} ×`, formatRatio(ratio), ratio <= limit);

export const ratioAtLeast = (/** @type {string} */ text, /** @type {number} */ ratio, /** @type {number} */ limit) =>
  goal(`${text} ≥ ${limit} ×`, formatRatio(ratio), ratio >= limit);

export const memoryAtMost = (/** @type {number} */ memoryMb, /** @type {number} */ limit) =>
  goal(`memory ≤ ${limit} MB`, formatMemory(memoryMb), memoryMb <= limit);

export const perSecondAtLeast = (/** @type {number} */ perSecond, /** @type {number} */ limit) =>
  goal(`≥ ${formatRate(limit)} per second`, formatRate(perSecond), perSecond >= limit);
