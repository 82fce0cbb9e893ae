import { millis, type TenantId } from "@pawl/storage";
import type { SessionEngine } from "../session-engine.js";
import type { SessionHandle } from "../session.js";
import type { IdentityProvider } from "./identity-provider.js";
import { CLOCK_SKEW, LogoutTokenError, verifyLogoutToken } from "./logout-token.js";
import { createProviderKeys, type ProviderKeys, ProviderKeysError } from "./provider-keys.js";
import { createReplayMemory } from "./replay-memory.js";

/** What came of a logout token. */
export type LogoutOutcome =
  /** None may have been live, which is a success too: the user is logged out. */
  | { readonly kind: "ended"; readonly ended: readonly SessionHandle[] }
  /** It is no logout token of these identity providers for this application, or it was received before. */
  | { readonly kind: "refused"; readonly message: string }
  /** The keys of its provider cannot be had; the same token may be sent again. */
  | { readonly kind: "unknown"; readonly message: string; readonly cause: unknown };

/** @throws StorageError: then too the same token may be sent again. */
export type ReceiveLogout = (logoutToken: string) => Promise<LogoutOutcome>;

/** Longer ones are refused unread. */
const MOST_CHARACTERS = 16_384;

/**
 * Receives logout tokens of identity providers (OpenID Connect Back-Channel Logout 1.0) and ends the sessions of the logins
 * that they name.
 * @example
 * const receive = createLogoutReceiver({ engine, providers: [{ issuer: "https://id.example.com", clientId: "my-app" }] });
 * const outcome = await receive(form.get("logout_token"));
 */
export const createLogoutReceiver = ({
  engine,
  providers,
  fetch = globalThis.fetch,
}: {
  readonly engine: Pick<SessionEngine, "storage" | "revokeLogins">;
  readonly providers: readonly IdentityProvider[];
  /** Takes the place of the runtime's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}): ReceiveLogout => {
  const { storage } = engine;
  const received = createReplayMemory(storage);
  const keys = new Map<string, ProviderKeys>();
  const keysOf = (provider: IdentityProvider): ProviderKeys => {
    const { issuer } = provider;
    const known = keys.get(issuer) ?? createProviderKeys(provider, { fetch, now: () => storage.now() });
    keys.set(issuer, known);
    return known;
  };

  const receive: ReceiveLogout = async (logoutToken) => {
    if (logoutToken.length > MOST_CHARACTERS) throw new LogoutTokenError("it is too long");
    const token = await verifyLogoutToken(logoutToken, { providers, keysOf, now: storage.now() });
    if (await received.knows(token)) throw new LogoutTokenError("it was received before");
    const { issuer, subject, sessionId, issuedAt } = token;
    // A later login is not what it means, however late it comes.
    const until = millis(Math.floor((issuedAt + CLOCK_SKEW) * 1000));
    const ended: SessionHandle[] = [];
    for (const { tenantId, acrossTenants } of token.providers)
      ended.push(
        ...(await engine.revokeLogins({
          issuer,
          subject,
          sessionId,
          until,
          acrossTenants,
          tenantId: tenantId as TenantId | undefined,
        })),
      );
    // Last: a token whose sessions could not be ended has to be taken again.
    if (!(await received.remember(token, token.refusedFrom))) throw new LogoutTokenError("it was received before");
    return { kind: "ended", ended };
  };

  return async (logoutToken) => {
    try {
      return await receive(logoutToken);
    } catch (error) {
      if (error instanceof LogoutTokenError)
        return { kind: "refused", message: `logout token refused: ${error.message}` };
      if (error instanceof ProviderKeysError) return { kind: "unknown", message: error.message, cause: error.cause };
      throw error;
    }
  };
};
