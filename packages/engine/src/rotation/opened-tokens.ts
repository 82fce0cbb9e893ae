import type { ImportedTokens } from "../imported/imported-tokens.js";
import { isSuperTokensForm } from "../imported/supertokens-token.js";
import type { MasterKeyRing } from "../keys/master-key-ring.js";
import type { RefreshTokenClaims, RefreshTokenSeal } from "../tokens/refresh-token.js";
import { MOST_REFRESH_TOKENS } from "./presented-tokens.js";

type Opens = Pick<RefreshTokenSeal, "open">;

/**
 * Loads what is needed to open these tokens: our own, and those that another core handed out before its sessions were imported.
 * @returns what opens them, without waiting; a promise only where something has to be loaded.
 * @throws EngineError `master_key_missing`, `master_key_wrong`, StorageError: then nothing can be said about a session.
 */
export type TokenOpener = (tokens: readonly unknown[]) => Opens | Promise<Opens>;

export const createTokenOpener = (
  ring: Pick<MasterKeyRing, "refreshTokens" | "loadKeysOf">,
  imported: ImportedTokens,
): TokenOpener => {
  const own = ring.refreshTokens;
  const openForeign = async (tokens: readonly string[], loading: Promise<void> | undefined): Promise<Opens> => {
    // One after the other: were both to fail, nobody would hear of the second.
    await loading;
    const opened = new Map<string, RefreshTokenClaims | undefined>();
    for (const token of tokens) opened.set(token, await imported.open(token));
    return { open: (token) => own.open(token) ?? opened.get(token) };
  };
  return (tokens) => {
    const loading = ring.loadKeysOf(tokens);
    // More are refused, whatever they are.
    const foreign = tokens.length > MOST_REFRESH_TOKENS ? [] : tokens.filter(isSuperTokensForm);
    if (foreign.length > 0) return openForeign(foreign, loading);
    return loading === undefined ? own : loading.then(() => own);
  };
};
