const ignore = (): void => undefined;

/** Shares runs of a task: callers with the same arguments that come while it runs get the outcome of that run. */
export const singleFlight = <Args extends readonly string[], T>(
  run: (...args: Args) => Promise<T>,
): ((...args: Args) => Promise<T>) => {
  const running = new Map<string, Promise<T>>();
  return (...args) => {
    const key = args.join("\0");
    const present = running.get(key);
    if (present !== undefined) return present;
    const begun = run(...args).finally(() => running.delete(key));
    running.set(key, begun);
    return begun;
  };
};

/**
 * Shares runs of a task that begin after the call: callers that come while it runs share the next run.
 * @param gather waited for before each run; callers that come meanwhile share that run too.
 */
export const nextFlight = <T>(run: () => Promise<T>, gather?: () => Promise<void>): (() => Promise<T>) => {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  return () =>
    (next ??= (async () => {
      await running?.catch(ignore);
      await gather?.();
      next = undefined;
      running = run();
      return running;
    })());
};
