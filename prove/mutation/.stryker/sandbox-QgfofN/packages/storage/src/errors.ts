/**
 * - `unavailable`: the store did not answer in time, is locked, full or unreachable; the same call may succeed later
 * - `read_only`: the store cannot be written
 * - `corrupt`: the store's content cannot be read
 * - `newer_schema`: the store was written by a newer release
 * - `invalid_url`: the storage URL is not understood
 * - `adapter_missing`: the package for this kind of store is not installed
 * - `invalid_record`: a value cannot be stored (U+0000 in an id, a duplicate id)
 * - `closed`: the storage was closed
 */
export type StorageErrorCode =
  | "unavailable"
  | "read_only"
  | "corrupt"
  | "newer_schema"
  | "invalid_url"
  | "adapter_missing"
  | "invalid_record"
  | "closed";

/** A failure of the store. It is never an answer about a session. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
