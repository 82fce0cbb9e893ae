import type { SigningKeyRecord } from "@pawl/storage";
import { type SigningKeyRow, signingKeyOf } from "@pawl/storage/adapter";
import { rowsOf } from "./connection/connection.js";
import type { Database } from "./connection/database.js";
import { keyOf, longTextsOf } from "./index-key.js";
import { signingKeyLock } from "./migrations.js";
import { join, sql } from "./connection/sql.js";
import * as statements from "./statements.js";

export const getSigningKeys = async (database: Database): Promise<readonly SigningKeyRecord[]> => {
  const [answer] = await database.send(statements.selectSigningKeys);
  return rowsOf<SigningKeyRow>(answer).map(signingKeyOf);
};

/** Adds a key, if the newest of its algorithm and kind is `ifNewestIs` and its `kid` is free. */
export const addSigningKey = async (
  database: Database,
  record: SigningKeyRecord,
  ifNewestIs: string | undefined,
): Promise<boolean> => {
  const { kid, algorithm, kind, publicKey, sealedPrivateKey, createdAt, signsFrom } = record;
  const locks = [
    statements.takeLocks([signingKeyLock]),
    statements.selectNewestSigningKey(algorithm, kind),
    sql`SELECT 1 FROM signing_keys WHERE kid = ${keyOf(kid)}`,
  ];
  return database.transact(locks, ([, newest, taken]) => {
    const row = newest?.rows[0] as SigningKeyRow | undefined;
    if (row?.kid !== ifNewestIs || taken?.rows.length !== 0) return { writes: [], result: () => false };
    const values = [
      keyOf(kid),
      longTextsOf({ kid }),
      algorithm,
      kind,
      publicKey,
      sealedPrivateKey,
      createdAt,
      signsFrom,
    ];
    return { writes: [sql`INSERT INTO signing_keys VALUES (${join(values)})`], result: () => true };
  });
};

export const deleteSigningKeys = async (database: Database, kids: readonly string[]): Promise<void> => {
  if (kids.length > 0) await database.send(sql`DELETE FROM signing_keys WHERE kid IN (${join(kids.map(keyOf))})`);
};

export const resealSigningKey = async (
  database: Database,
  kid: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> => {
  const [answer] = await database.send(
    sql`UPDATE signing_keys SET sealed_private_key = ${to} WHERE kid = ${keyOf(kid)} AND sealed_private_key = ${from}`,
  );
  return (answer?.affected ?? 0) > 0;
};
