// Carries out the proofs that its parent names, one after the other.
import { proofs } from "./proofs.mjs";

/** How often a parent hears how far a proof is, in ms. */
const TOLD_EVERY = 200;

/** A proof that cannot be carried out is one that failed; the others go on. */
const failed = (/** @type {unknown} */ error) => {
  console.error(error);
  const [reason] = String(error instanceof Error ? error.message : error).split("\n", 1);
  return { count: 0, failures: 1, note: `not carried out: ${reason}` };
};

/** @param {import("./provers.mjs").Task} task */
const proveOne = async ({ name, total, seed }) => {
  const proof = proofs.find((candidate) => candidate.name === name);
  let told = 0;
  const progress = (/** @type {number} */ done) => {
    const now = performance.now();
    if (now - told < TOLD_EVERY) return;
    told = now;
    if (process.connected) process.send?.({ done });
  };
  const started = performance.now();
  const result = await proof?.run(total, seed, progress).catch(failed);
  process.send?.({ result: { name, ...result, seconds: Math.round((performance.now() - started) / 100) / 10 } });
};

process.on("disconnect", () => process.exit(1));
process.on("message", (task) => void proveOne(/** @type {import("./provers.mjs").Task} */ (task)));
