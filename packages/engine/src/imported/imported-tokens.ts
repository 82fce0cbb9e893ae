import { millis, nextFlight, type Storage } from "@pawl/storage";
import type { MasterKeyRing } from "../keys/master-key-ring.js";
import type { Policy } from "../policy.js";
import { isSameText } from "../same-text.js";
import { type RefreshTokenClaims, secretHash } from "../tokens/refresh-token.js";
import { type ImportedCore, importedSecret, importedSessionId, readImportedCores } from "./imported-core.js";
import { FIRST_SEQ } from "./imported-session.js";
import { hexHash, openSuperTokensToken, type SuperTokensToken } from "./supertokens-token.js";

/** Opens refresh tokens that another core handed out before its sessions were imported. */
export interface ImportedTokens {
  /**
   * @returns what our own token in its place would say; undefined for what no imported core made, and for a token whose
   * session was not imported.
   * @throws StorageError, EngineError `master_key_wrong`.
   */
  open(token: string): Promise<RefreshTokenClaims | undefined>;
}

export const createImportedTokens = ({
  policy,
  storage,
  ring,
}: {
  readonly policy: Pick<Policy, "reuseWindow">;
  readonly storage: Pick<Storage, "now" | "getSession" | "listMeta">;
  readonly ring: Pick<MasterKeyRing, "keys" | "reload">;
}): ImportedTokens => {
  let cores: readonly ImportedCore[] = [];

  const reload = nextFlight(async () => {
    cores = await readImportedCores(storage, async (id) => {
      if (!ring.keys.some((key) => key.id === id)) await ring.reload();
      return ring.keys;
    });
  });

  const openWithKnown = (token: string): Opened | undefined => {
    for (const core of cores) {
      const claims = openSuperTokensToken(token, core.refreshTokenKey);
      if (claims !== undefined) return { core, claims };
    }
    return undefined;
  };

  return {
    async open(token) {
      let opened = openWithKnown(token);
      if (opened === undefined) {
        // Sessions may be imported at any time. Whoever sends anything of this form causes reads, of which one runs at a time.
        await reload();
        opened = openWithKnown(token);
      }
      if (opened === undefined) return undefined;
      const { core, claims } = opened;
      const id = importedSessionId(core, claims);
      const row = await storage.getSession(id);
      if (row === undefined) return undefined;
      const secret = secretOf(opened, token, row.secretHash);
      return {
        id,
        // Of any other token of before its session had moved on: it is as old as can be.
        seq: secret === undefined ? FIRST_SEQ - 1 : FIRST_SEQ,
        // It does not say when it was made; the row says when it ends. Beyond the window it is rotated at once.
        iat: millis(storage.now() - policy.reuseWindow - 1),
        antiCsrf: claims.antiCsrfToken !== undefined,
        secret: secret ?? NO_SECRET,
        imported: { secretHash: row.secretHash, antiCsrfToken: claims.antiCsrfToken },
      };
    },
  };
};

interface Opened {
  readonly core: ImportedCore;
  readonly claims: SuperTokensToken;
}

/** With it nothing could be sealed that opens the session again. */
const NO_SECRET = Buffer.alloc(32);

/** The session's secret, by the token that the core knew as the newest, or by one minted from it. */
const secretOf = ({ core, claims }: Opened, token: string, stored: string): Buffer | undefined => {
  const { sessionHandle, parentRefreshTokenHash1 } = claims;
  const candidates = [hexHash(token), ...(parentRefreshTokenHash1 === undefined ? [] : [parentRefreshTokenHash1])];
  return candidates
    .map((hash1) => importedSecret(core, sessionHandle, hexHash(hash1)))
    .find((secret) => isSameText(secretHash(secret), stored));
};
