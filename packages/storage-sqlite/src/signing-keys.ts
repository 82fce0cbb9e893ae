import type { SigningKeyRecord } from "@pawl/storage";
import type { Database } from "./connection/database.js";
import * as statements from "./statements.js";

/** Adds a key inside the caller's transaction, if the newest of its algorithm and kind is `ifNewestIs`. */
export const addSigningKey = (
  database: Database,
  record: SigningKeyRecord,
  ifNewestIs: string | undefined,
): boolean => {
  const { kid, algorithm, kind, publicKey, sealedPrivateKey, createdAt, signsFrom } = record;
  const newest = database.get(statements.selectNewestSigningKey, { algorithm, kind });
  if (newest?.kid !== ifNewestIs) return false;
  const values = { kid, algorithm, kind, publicKey, sealedPrivateKey, createdAt, signsFrom };
  return database.run(statements.insertSigningKey, values) > 0;
};

export const deleteSigningKeys = (database: Database, kids: readonly string[]): void => {
  for (const kid of kids) database.run(statements.deleteSigningKey, { kid });
};
