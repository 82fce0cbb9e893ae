/** Gives work a signal that aborts it after so many ms. */
export const withDeadline = async <Result>(
  after: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), after);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
};
