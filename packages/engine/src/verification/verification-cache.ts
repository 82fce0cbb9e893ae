/** Remembers what was found out about tokens, within a bound. */
export interface VerificationCache<Value> {
  get(token: string): Value | undefined;
  set(token: string, value: Value): void;
  clear(): void;
}

const TAIL_LENGTH = 32;

/**
 * A cache bounded by the characters of its tokens. It is keyed by a token's last 32 characters, which are part of the
 * signature and cheap to hash, and then compares the token whole: no collision can give one token another's value.
 * Two generations: when the young one is full it becomes the old one, and a hit there brings the entry back.
 */
export const createVerificationCache = <Value>(characters: number): VerificationCache<Value> => {
  type Entry = { readonly token: string; readonly value: Value };
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  let youngCharacters = 0;

  const add = (entry: Entry): void => {
    if (youngCharacters + entry.token.length > characters / 2) {
      old = young;
      young = new Map();
      youngCharacters = 0;
    }
    youngCharacters += entry.token.length;
    young.set(entry.token.slice(-TAIL_LENGTH), entry);
  };

  return {
    get(token) {
      const tail = token.slice(-TAIL_LENGTH);
      const recent = young.get(tail);
      if (recent !== undefined && recent.token === token) return recent.value;
      const entry = old.get(tail);
      if (entry === undefined || entry.token !== token) return undefined;
      add(entry);
      return entry.value;
    },
    set(token, value) {
      // A token cut out of a header would keep that whole header in memory: hold a copy. What verified is ASCII; the copy
      // of anything else is another text, which nothing will hit.
      add({ token: Buffer.from(token, "latin1").toString("latin1"), value });
    },
    clear() {
      young.clear();
      old.clear();
      youngCharacters = 0;
    },
  };
};
