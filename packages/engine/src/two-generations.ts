/** A map that forgets what is old: it keeps the newest entries up to a weight, and at most twice that. */
export interface TwoGenerations<Key, Value> {
  /** What is asked for counts as new. */
  get(key: Key): Value | undefined;
  /** As `get`, and leaves it as old as it is. */
  peek(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  /** Makes the young generation the old one, and forgets what was old. */
  turn(): void;
  clear(): void;
  /** How many entries there are; one that is in both generations counts twice. */
  readonly size: number;
}

/**
 * Forgets by generation, so that nothing is ever searched for: when the young one is full it becomes the old one.
 * @param options.weigh what a value counts; 1 unless given.
 */
export const createTwoGenerations = <Key, Value>({
  most,
  weigh = () => 1,
}: {
  readonly most: number;
  readonly weigh?: (value: Value) => number;
}): TwoGenerations<Key, Value> => {
  let young = new Map<Key, Value>();
  let old = new Map<Key, Value>();
  let weight = 0;

  const turn = (): void => {
    old = young;
    young = new Map();
    weight = 0;
  };
  const set = (key: Key, value: Value): void => {
    const added = weigh(value);
    if (weight + added > most) turn();
    weight += added;
    young.set(key, value);
  };

  return {
    set,
    turn,
    peek: (key) => young.get(key) ?? old.get(key),
    get(key) {
      const recent = young.get(key);
      if (recent !== undefined) return recent;
      const value = old.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    clear() {
      turn();
      turn();
    },
    get size() {
      return young.size + old.size;
    },
  };
};
