import { clearTimeout, setTimeout } from "node:timers";

/** Says a failure that nobody waits for, as a warning of the process. */
export const warnOf = (error: unknown): void =>
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));

/** Says that the store has lost changes of sessions. */
export const warnOfLostChanges = (count: number): void =>
  process.emitWarning(
    `the store has lost changes of sessions (${count}), as at a failover: what they changed, such as a role, is as it was before`,
    { type: "PawlWarning", code: "PAWL_CHANGES_LOST" },
  );

/** Calls what an application gave. A hook that fails must not stand in anybody's way; its failure becomes a warning. */
export const callHook = async (hook: () => unknown): Promise<void> => {
  try {
    await hook();
  } catch (error) {
    warnOf(error);
  }
};

/** What an application answers within so many ms. @throws what it throws, and where it does not answer in time. */
export const inTime = async <Value>(
  hook: () => Value | Promise<Value>,
  { name, within }: { readonly name: string; readonly within: number },
): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not answer within ${within} ms`)), within);
  });
  try {
    return await Promise.race([hook(), late]);
  } finally {
    clearTimeout(timer);
  }
};

const ATTEMPTS = 5;

/** Does something in the background: a failure is tried again, and becomes a warning in the end. */
export const persist = (work: () => Promise<unknown>, attempt = 1): void =>
  void work().catch((error: unknown) => {
    if (attempt === ATTEMPTS) warnOf(error);
    else setTimeout(() => persist(work, attempt + 1), 1000 * 2 ** attempt).unref();
  });

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
