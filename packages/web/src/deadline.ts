/** A signal that aborts after the given ms, by the clock of the page. */
export const deadline = (after: number): AbortSignal => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), after);
  return controller.signal;
};
