/** The test's own, which it puts into this process; there is none during the build. */
export const { pawl, hooks } = globalThis[Symbol.for("pawl kit")] ?? { pawl: {} };
