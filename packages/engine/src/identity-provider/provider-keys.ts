import { singleFlight } from "@pawl/storage";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { IdentityProvider } from "./identity-provider.js";

/** For how long keys are used without asking again, ms. */
const LIFE = 600_000;
/** Between two requests, whatever tokens say: a token may name any key, and a provider may be down. */
const SHORTEST_PAUSE = 30_000;
/** For metadata and keys together, ms. */
const DEADLINE = 5000;
/** Largest answer that is read, in bytes once unpacked. */
const MOST_BYTES = 262_144;
const MOST_KEYS = 100;

/** The keys of a provider cannot be had: nothing is known of what it has signed. */
export class ProviderKeysError extends Error {
  override readonly name = "ProviderKeysError";
}

/** The public keys of an identity provider. Both throw `ProviderKeysError`. */
export interface ProviderKeys {
  get(): Promise<JWTVerifyGetKey>;
  /** For a token that names an unknown key. @returns undefined where they were read too short a time ago to have changed. */
  renew(): Promise<JWTVerifyGetKey | undefined>;
}

/** @param now ms, of a clock that may be any. */
export const createProviderKeys = (
  { issuer, jwksUri }: Pick<IdentityProvider, "issuer" | "jwksUri">,
  { fetch, now }: { readonly fetch: typeof globalThis.fetch; readonly now: () => number },
): ProviderKeys => {
  let known: { readonly keys: JWTVerifyGetKey; readonly at: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;

  const isWithin = (span: number, seen: { readonly at: number } | undefined): boolean =>
    seen !== undefined && now() - seen.at < span;

  const load = singleFlight(async () => {
    // Asked again and again by whoever sends tokens, a provider that is down would never come up.
    if (failed !== undefined && isWithin(SHORTEST_PAUSE / 10, failed)) throw failed.error;
    try {
      const signal = AbortSignal.timeout(DEADLINE);
      const read = (url: string): Promise<unknown> => readJson(url, { fetch, signal });
      const keys = keySetOf(await read(jwksUri ?? jwksUriOf(await read(metadataUrl(issuer)), issuer)));
      known = { keys, at: now() };
      return keys;
    } catch (cause) {
      const error = new ProviderKeysError(`the keys of ${issuer} cannot be had: ${reasonOf(cause)}`, { cause });
      failed = { error, at: now() };
      throw error;
    }
  });

  return {
    get: async () => (known !== undefined && isWithin(LIFE, known) ? known.keys : load()),
    renew: async () => (isWithin(SHORTEST_PAUSE, known) ? undefined : load()),
  };
};

/** OpenID Connect Discovery 1.0, section 4.1. */
const metadataUrl = (issuer: string): string => `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;

/** Section 4.3: metadata of another issuer are not this one's, whoever sends them. */
const jwksUriOf = (metadata: unknown, issuer: string): string => {
  const { issuer: named, jwks_uri: uri } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
  if (named !== issuer) throw new TypeError("its metadata name another issuer");
  if (typeof uri !== "string" || !URL.canParse(uri)) throw new TypeError("its metadata name no jwks_uri");
  if (!/^https:/i.test(uri) && /^https:/i.test(issuer)) throw new TypeError("its jwks_uri is not encrypted");
  return uri;
};

const keySetOf = (set: unknown): JWTVerifyGetKey => {
  const { keys } = (set ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) throw new TypeError("what it publishes is no key set");
  return createLocalJWKSet(set as JSONWebKeySet);
};

/** @throws TypeError for what is no JSON, not found, or too large; what `fetch` throws. */
const readJson = async (
  url: string,
  { fetch, signal }: { readonly fetch: typeof globalThis.fetch; readonly signal: AbortSignal },
): Promise<unknown> => {
  const answer = await fetch(url, { headers: { accept: "application/json" }, redirect: "error", signal });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new TypeError(`${url} answers ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new TypeError(`${url} answers more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch {
    throw new TypeError(`${url} answers no JSON`);
  }
};

const reasonOf = (cause: unknown): string => {
  const { name, message, cause: deeper } = cause as Error;
  const { code } = (deeper ?? {}) as { readonly code?: unknown };
  if (name === "TimeoutError") return `no answer within ${DEADLINE} ms`;
  return typeof code === "string" ? `${message} (${code})` : message;
};
