import { checkSchemaVersion, type SchemaVersion } from "@pawl/storage/adapter";
import { randomInt } from "node:crypto";
import { storeTag } from "./key-space.js";
import type { Store } from "./store.js";
import * as scripts from "./scripts/store-scripts.js";

/** Every schema version this release knows, with the oldest one whose release can still read and write a store after it. */
const versions = [{ version: 1, readableBy: 1 }] as const;

/** The schema version of this release. */
const schemaVersion = 1;

/**
 * Checks that this release can work on a store.
 * @throws StorageError `newer_schema`.
 */
export const checkStore = async ({ calls, keys }: Store): Promise<void> => {
  const { values } = await calls.run({
    tag: storeTag,
    script: scripts.readSchema,
    keys: [`${keys.of(storeTag)}schema`],
  });
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
  const { calls, keys } = store;
  await calls.run({
    tag: storeTag,
    script: scripts.migrate,
    keys: [`${keys.of(storeTag)}schema`],
    args: [
      `${randomInt(1e6)}`.padStart(6, "0") + `${randomInt(1e6)}`.padStart(6, "0"),
      ...versions.flatMap(({ version, readableBy }) => [version, readableBy]),
    ],
  });
};
