import type { SigningKeyRecord } from "@pawl/storage";
import type { Database } from "./connection/database.js";
import { lockNumber } from "./connection/lock-number.js";
import * as statements from "./statements.js";

/** Adds a key if the newest of its algorithm and kind is `ifNewestIs`: one node at a time, so that two cannot both win. */
export const addSigningKey = (
  database: Database,
  record: SigningKeyRecord,
  ifNewestIs: string | undefined,
): Promise<boolean> =>
  database.transaction(async ({ query }) => {
    const { kid, algorithm, kind, publicKey, sealedPrivateKey, createdAt, signsFrom } = record;
    const values = [kid, algorithm, kind, publicKey, sealedPrivateKey, createdAt, signsFrom, ifNewestIs ?? null];
    const [, added] = await Promise.all([
      query(statements.lock, [lockNumber("signing keys", database.schema)]),
      query(statements.insertSigningKey, values),
    ]);
    return added.length > 0;
  });
