// Preloaded into a node: makes its clock wrong by CLOCK_SKEW_MS.
const skew = Number(process.env.CLOCK_SKEW_MS ?? 0);
if (skew !== 0) {
  const now = Date.now;
  Date.now = () => now() + skew;
  const { timeOrigin } = performance;
  Object.defineProperty(performance, "timeOrigin", { value: timeOrigin + skew });
}
