import type { VerifiedRegistrationResponse, WebAuthnCredential } from "@simplewebauthn/server";
import type { Database } from "./database.js";

export interface Passkey extends WebAuthnCredential {
  readonly userId: string;
  /** Whether a password manager carries it to the user's other devices. */
  readonly isSynced: boolean;
  /** Ms since the epoch. */
  readonly addedAt: number;
}

interface Row extends Omit<Passkey, "isSynced" | "transports"> {
  readonly transports: string;
  readonly synced: number;
}

const read = ({ synced, transports, publicKey, ...row }: Row): Passkey => ({
  ...row,
  publicKey: Uint8Array.from(publicKey),
  transports: JSON.parse(transports) as string[],
  isSynced: synced === 1,
});

export type NewPasskey = NonNullable<VerifiedRegistrationResponse["registrationInfo"]>;

/** The public halves of keys that users' devices hold. */
export const openPasskeys = (database: Database) => {
  const byId = database.prepare("SELECT * FROM passkeys WHERE id = ?");
  const byUser = database.prepare("SELECT * FROM passkeys WHERE userId = ? ORDER BY addedAt");
  const add = database.prepare("INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?)");
  const count = database.prepare("UPDATE passkeys SET counter = ? WHERE id = ?");
  const remove = database.prepare("DELETE FROM passkeys WHERE id = ? AND userId = ?");

  return {
    get(id: string): Passkey | undefined {
      const row = byId.get(id) as Row | undefined;
      return row && read(row);
    },
    of: (userId: string): readonly Passkey[] => (byUser.all(userId) as Row[]).map(read),
    add(userId: string, { credential, credentialBackedUp }: NewPasskey): void {
      const { id, publicKey, counter, transports = [] } = credential;
      add.run(id, userId, publicKey, counter, JSON.stringify(transports), Number(credentialBackedUp), Date.now());
    },
    /** What the key has counted, where it counts: a copy of it would fall behind. */
    setCounter: (id: string, counter: number) => void count.run(counter, id),
    remove: (userId: string, id: string) => void remove.run(id, userId),
  };
};

export type Passkeys = ReturnType<typeof openPasskeys>;
