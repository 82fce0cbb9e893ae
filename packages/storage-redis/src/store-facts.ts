import type { MetaRecord, Page, PageRequest, SigningKeyRecord } from "@pawl/storage";
import { metaPage } from "@pawl/storage/adapter";
import { storeTag } from "./key-space.js";
import type { Script } from "./scripts/lua.js";
import { runOn, type Store } from "./store.js";
import * as scripts from "./scripts/store-scripts.js";

/** Runs a script on keys of the store's own tag. */
const run = async (
  store: Store,
  script: Script,
  [keys, args]: readonly [keys: readonly string[], args: readonly (string | number)[]],
): Promise<readonly unknown[]> => (await runOn(store, storeTag, { script, keys, args })).values;

const signingKeys = ["keys", "sealed"] as const;
const meta = ["meta", "names"] as const;

const oldestFirst = (left: SigningKeyRecord, right: SigningKeyRecord): number =>
  left.createdAt - right.createdAt || Buffer.compare(Buffer.from(left.kid), Buffer.from(right.kid));

export const getSigningKeys = async (store: Store): Promise<readonly SigningKeyRecord[]> => {
  const values = (await run(store, scripts.getSigningKeys, [signingKeys, []])) as readonly string[];
  return Array.from({ length: values.length / 2 }, (_, index) => ({
    ...(JSON.parse(values[2 * index]!) as Omit<SigningKeyRecord, "sealedPrivateKey">),
    sealedPrivateKey: values[2 * index + 1]!,
  })).toSorted(oldestFirst);
};

/** @returns whether it was added. */
export const addSigningKey = async (
  store: Store,
  { sealedPrivateKey, ...facts }: SigningKeyRecord,
  ifNewestIs: string | undefined,
): Promise<boolean> => {
  const newest = ifNewestIs === undefined ? "" : `=${ifNewestIs}`;
  const args = [newest, JSON.stringify(facts), sealedPrivateKey];
  const [added] = await run(store, scripts.addSigningKey, [signingKeys, args]);
  return added === 1;
};

export const deleteSigningKeys = async (store: Store, kids: readonly string[]): Promise<void> => {
  if (kids.length > 0) await run(store, scripts.deleteSigningKeys, [signingKeys, kids]);
};

/** Replaces the value of a field of a hash if it still is another. @returns whether it was. */
export const replaceField = async (
  store: Store,
  { hash, field }: { readonly hash: "sealed" | "meta"; readonly field: string },
  change: { readonly from: string; readonly to: string },
): Promise<boolean> => {
  const [replaced] = await run(store, scripts.replaceField, [[hash], [field, change.from, change.to]]);
  return replaced === 1;
};

export const claimMeta = async (store: Store, name: string, value?: string): Promise<string | undefined> => {
  const script = value === undefined ? scripts.readMeta : scripts.claimMeta;
  const [standing] = await run(store, script, [meta, value === undefined ? [name] : [name, value]]);
  return typeof standing === "string" ? standing : undefined;
};

export const listMeta = async (store: Store, prefix: string, page: PageRequest): Promise<Page<MetaRecord>> => {
  const { limit, after } = page;
  const from = after === undefined ? "" : `=${after}`;
  const values = (await run(store, scripts.listMeta, [meta, [prefix, from, limit + 1]])) as readonly string[];
  const found = Array.from({ length: values.length / 2 }, (_, index) => ({
    name: values[2 * index]!,
    value: values[2 * index + 1]!,
  }));
  return metaPage(found, limit);
};
