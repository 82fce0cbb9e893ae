/** A map that remembers at least the last `most` keys that were set, and twice as many at most. */
export interface TwoGenerations<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
}

/** When the young generation is full it becomes the old one, and what was old is forgotten: nothing is searched for. */
export const createTwoGenerations = <Key, Value>(most: number): TwoGenerations<Key, Value> => {
  let young = new Map<Key, Value>();
  let old = new Map<Key, Value>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      if (young.size >= most) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
    },
  };
};
