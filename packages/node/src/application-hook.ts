/** Says a failure that nobody waits for, as a warning of the process. */
export const warnOf = (error: unknown): void =>
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));

/** Calls what an application gave. A hook that fails must not stand in anybody's way; its failure becomes a warning. */
export const callHook = async (hook: () => unknown): Promise<void> => {
  try {
    await hook();
  } catch (error) {
    warnOf(error);
  }
};

/** Emits a process warning, once for each code. */
export type WarnOnce = (code: string, message: string) => void;

export const createWarnings = (): WarnOnce => {
  const told = new Set<string>();
  return (code, message) => {
    if (told.has(code)) return;
    told.add(code);
    process.emitWarning(message, { type: "PawlWarning", code });
  };
};
