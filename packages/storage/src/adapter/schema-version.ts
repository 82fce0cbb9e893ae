import { StorageError } from "../errors.js";

/** A version of a store's schema. */
export interface SchemaVersion {
  readonly version: number;
  /** The oldest version whose release can still read and write a store of this one. */
  readonly readableBy: number;
}

/**
 * Checks that a release can work on a store. A version that is newer than the release's, but says that the release can
 * still read and write it, is fine: nodes are upgraded one by one.
 * @param present the version of the store; undefined for a new one.
 * @param known the version of the release.
 * @returns the number of the store's version, 0 for a new one.
 * @throws StorageError `newer_schema`.
 */
export const checkSchemaVersion = (present: SchemaVersion | undefined, known: number): number => {
  if (present === undefined) return 0;
  if (present.readableBy > known)
    throw new StorageError(
      "newer_schema",
      `the store has schema version ${present.version}, made by a newer release; this one knows version ${known}: upgrade it`,
    );
  return present.version;
};
