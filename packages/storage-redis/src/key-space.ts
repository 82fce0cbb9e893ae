import { createHash } from "node:crypto";
import { bucketOfUser, type SessionId, type TenantId, type UserId } from "@pawl/storage";

/**
 * What stands in the braces of a key and so decides its slot: two hexadecimal digits, the bucket of a user mod 256, or `m`
 * for what belongs to the store as a whole.
 */
export type Tag = string;

const hex = (number: number): Tag => number.toString(16).padStart(2, "0");

/** The tags of all users. */
export const userTags: readonly Tag[] = Array.from({ length: 256 }, (_, number) => hex(number));

/** The tag of signing keys, lasting facts and the schema. */
export const storeTag: Tag = "m";

/** The tag of a session, which its id tells. What is no id of a session has one too, where nothing stands. */
export const tagOfSession = (id: SessionId): Tag => (/^[0-9a-f]{4}/u.test(id) ? id.slice(2, 4) : "00");

/** The tag of a user: of all of its sessions, its revocations and its events. */
export const tagOfUser = (user: { readonly tenantId: TenantId; readonly userId: UserId }): Tag =>
  hex(bucketOfUser(user) % 256);

/** Some tag that depends on a text alone. */
export const tagOfText = (text: string): Tag => tagOfUser({ tenantId: "" as TenantId, userId: text as UserId });

/** Groups what goes to one server in one step, each group in the order of the items. */
export const groupByTag = <Item>(
  items: Iterable<Item>,
  tagOf: (item: Item) => Tag,
): ReadonlyMap<Tag, readonly Item[]> => {
  const groups = new Map<Tag, Item[]>();
  for (const item of items) {
    const tag = tagOf(item);
    const group = groups.get(tag);
    if (group === undefined) groups.set(tag, [item]);
    else group.push(item);
  }
  return groups;
};

/** A long text's digest in its place, so that names of keys and places are bounded: as `short` in `lua.ts`. */
export const shortOf = (text: string): string =>
  Buffer.byteLength(text) <= 100 ? text : `\u0001${createHash("sha1").update(text).digest("hex")}`;

/** The names of a store's keys. The layout is frozen: README, "Layout". */
export class KeySpace {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** What every key of a tag begins with. */
  of(tag: Tag): string {
    return `${this.#prefix}:{${tag}}:`;
  }

  /** Where each script that ends sessions publishes. */
  get channel(): string {
    return `${this.#prefix}:revoked`;
  }
}
