/** What a case may ask, in any runtime. */

/** Members in one order, and what is undefined left out: as they would be sent. */
const written = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : member,
  ) ?? "undefined";

/** @throws Error where the two would not be written alike. */
export const equal = (actual: unknown, expected: unknown, of = ""): void => {
  if (written(actual) !== written(expected))
    throw new Error(`${of} ${written(actual).slice(0, 500)} is not ${written(expected).slice(0, 500)}`.trim());
};

export const isTrue = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

/** Asks until it is so. @throws Error when it has not become so within ten seconds. */
export const becomes = async (ask: () => unknown, expected: unknown): Promise<void> => {
  const until = Date.now() + 10_000;
  for (;;) {
    const actual = await ask();
    if (written(actual) === written(expected)) return;
    if (Date.now() > until) equal(actual, expected, "still");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** A clock that stands until it is moved, ms. */
export const standingClock = () => {
  let now = Date.now();
  return {
    now: () => now,
    move: (by: number) => void (now += by),
  };
};
