import { checkSchemaVersion, type SchemaVersion } from "@pawl/storage/adapter";
import { randomInt } from "node:crypto";
import { storeTag } from "./key-space.js";
import { runOn, type Store } from "./store.js";
import * as scripts from "./scripts/store-scripts.js";

/** Every schema version this release knows, with the oldest one whose release can still read and write a store after it. */
const versions = [
  { version: 1, readableBy: 1 },
  // Facts, bound keys, links and the outbox: a release that does not know them would lose them, or mint for a foreign key.
  { version: 2, readableBy: 2 },
  // Subjects, whose place in the index of links a release that does not know them would leave behind.
  { version: 3, readableBy: 3 },
] as const;

/** The schema version of this release. */
export const schemaVersion = 3;

/**
 * Checks that this release can work on a store.
 * @throws StorageError `newer_schema`.
 */
export const checkStore = async (store: Store): Promise<void> => {
  const { values } = await runOn(store, storeTag, { script: scripts.readSchema, keys: ["schema"] });
  const fields = values as readonly string[];
  let newest: SchemaVersion | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const version = Number(/^version:(\d+)$/u.exec(fields[index]!)?.[1] ?? 0);
    if (version > (newest?.version ?? 0)) newest = { version, readableBy: Number(fields[index + 1]) };
  }
  checkSchemaVersion(newest, schemaVersion);
};

/** Brings the schema to this release's version: the layout of keys needs nothing made, so it only notes the version. */
export const applyMigrations = async (store: Store): Promise<void> => {
  await checkStore(store);
  const epoch = `${randomInt(1e6)}`.padStart(6, "0") + `${randomInt(1e6)}`.padStart(6, "0");
  const args = [epoch, ...versions.flatMap(({ version, readableBy }) => [version, readableBy])];
  await runOn(store, storeTag, { script: scripts.migrate, keys: ["schema"], args });
};
