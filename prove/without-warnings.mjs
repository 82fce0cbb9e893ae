/** What a process tells of a store that fails belongs to the proof. @param {import("./proofs.mjs").Run} run @returns {import("./proofs.mjs").Run} */
export const withoutWarnings =
  (run) =>
  async (...given) => {
    const listeners = process.listeners("warning");
    process.removeAllListeners("warning");
    try {
      return await run(...given);
    } finally {
      for (const listener of listeners) process.on("warning", listener);
    }
  };
