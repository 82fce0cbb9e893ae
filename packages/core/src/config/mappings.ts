import type { ValueType } from "./value-type.js";

/** What the mappings of a list are. */
interface Mapping<Item extends object> {
  /** Names in config.yaml, and the members they stand for. */
  readonly members: Readonly<Record<string, keyof Item & string>>;
  readonly isRight: (value: unknown) => value is Item;
  /** A member that has to differ from item to item. */
  readonly distinct?: keyof Item & string;
  readonly accepted: string;
}

/** A YAML list of mappings, in an environment variable as JSON. Never empty. */
export const mappings = <Item extends object>({
  members,
  isRight,
  distinct,
  accepted,
}: Mapping<Item>): ValueType<readonly Item[]> => {
  const itemOf = (value: unknown): Item | undefined => {
    const given = value instanceof Map ? (Object.fromEntries(value) as object) : value;
    if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
    const renamed = Object.entries(given).map(([name, member]) => [
      Object.hasOwn(members, name) ? members[name] : `unknown ${name}`,
      member ?? undefined,
    ]);
    const item: unknown = Object.fromEntries(renamed);
    return isRight(item) ? item : undefined;
  };

  const show = (item: Item): string => {
    const texts = Object.entries(members).flatMap(([name, member]) => {
      const value = item[member];
      return value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`];
    });
    return `{ ${texts.join(", ")} }`;
  };

  return {
    name: "list of mappings",
    accepted,
    read(value) {
      const items = Array.isArray(value) ? value.map(itemOf) : [];
      const known = items.filter((item) => item !== undefined);
      const different = distinct === undefined ? known.length : new Set(known.map((item) => item[distinct])).size;
      return known.length > 0 && known.length === items.length && different === items.length ? known : undefined;
    },
    fromText(text) {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    },
    show: (value) => `[${value.map(show).join(", ")}]`,
  };
};
