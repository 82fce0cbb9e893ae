/** A signal that aborts after so many ms, by the clock of the page. */
export const deadline = (after: number): AbortSignal => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), after);
  return controller.signal;
};
