import { createTwoGenerations } from "../two-generations.js";

/** Remembers what was found out about tokens, within a bound. */
export interface VerificationCache<Value> {
  get(token: string): Value | undefined;
  set(token: string, value: Value): void;
  clear(): void;
}

const TAIL_LENGTH = 32;

/**
 * A cache bounded by the characters of its tokens. It is keyed by a token's last 32 characters, which are part of the
 * signature and cheap to hash, and then compares the whole token: no collision can give one token another's value.
 */
export const createVerificationCache = <Value>(characters: number): VerificationCache<Value> => {
  const entries = createTwoGenerations<string, { readonly token: string; readonly value: Value }>({
    most: characters / 2,
    weigh: ({ token }) => token.length,
  });
  return {
    get(token) {
      const entry = entries.get(token.slice(-TAIL_LENGTH));
      return entry?.token === token ? entry.value : undefined;
    },
    set(given, value) {
      // A token cut out of a header would keep that whole header in memory: hold a copy. What verified is ASCII; the copy
      // of anything else is another text, which nothing will hit.
      const token = Buffer.from(given, "latin1").toString("latin1");
      entries.set(token.slice(-TAIL_LENGTH), { token, value });
    },
    clear: () => entries.clear(),
  };
};
