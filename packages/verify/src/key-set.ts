import { demand, readText } from "./answers.js";
import type { VerifierOptions } from "./options.js";
import { FRESH, MINIMUM_RSA_BITS, PAUSE, STALE } from "./limits.js";

const algorithms = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
} as const;

/** Whether a signature is that of a key. */
type IsSignature = (signature: BufferSource, signed: BufferSource) => Promise<boolean>;

/** What is known of a token that one of these keys has signed. */
interface Seen {
  readonly body: string;
  readonly version: string;
  /** What the core said of it last, and when. */
  isActive?: boolean;
  askedAt?: number;
}

/** Keys, with what they were found to have signed, which goes when they go. */
export interface Keys {
  /** By algorithm and `kid`: a key has one algorithm, and no token can choose another (RFC 8725 section 3.1). */
  readonly byName: ReadonlyMap<string, IsSignature>;
  readonly seen: Map<string, Seen>;
}

/** As RFC 7517 section 5 asks, what is no key of ours is passed over; of two with one `kid` the first counts. */
const importKeys = async (set: unknown): Promise<Keys> => {
  const byName = new Map<string, IsSignature>();
  for (const jwk of (set as { readonly keys: readonly (JsonWebKey & { readonly kid?: unknown })[] }).keys) {
    try {
      const alg = jwk.kty === "RSA" ? "RS256" : "ES256";
      const algorithm = algorithms[alg];
      // Looks at `kty`, `crv`, `alg` and `use` itself, and refuses a private key for this use.
      const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
      const isShort = (key.algorithm as RsaKeyAlgorithm).modulusLength < MINIMUM_RSA_BITS;
      const name = alg + jwk.kid;
      if (!byName.has(name) && !isShort)
        byName.set(name, (...signed) => crypto.subtle.verify(algorithm, key, ...signed));
    } catch {
      // No key of ours.
    }
  }
  // A set without any is no answer: whoever believed it would refuse everybody.
  demand(byName.size);
  return { byName, seen: new Map() };
};

/** A Worker can neither count on what another request began, nor leave anything to be done after its answer. */
export const isWorkers = (): boolean => "WebSocketPair" in globalThis;

/**
 * The keys, read where they are published.
 * @returns a function that is told which key is looked for, and rejects where it cannot be known.
 */
export const createKeys = (
  keys: VerifierOptions["keys"],
  clock: { now(): number },
): ((name?: string) => Promise<Keys>) => {
  let held: Keys | undefined;
  let heldText: string;
  let loadedAt = 0;
  let triedAt = 0;
  let loading: Promise<void> | undefined;
  let failure: unknown;

  const load = async (): Promise<void> => {
    try {
      const text = typeof keys === "string" ? await readText(keys) : JSON.stringify(keys);
      if (text !== heldText) held = await importKeys(JSON.parse(text));
      heldText = text;
      loadedAt = clock.now();
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    loading = undefined;
  };
  /** Absolute, so that a clock that was set back makes nothing last for ever. */
  const isOlder = (at: number, than: number): boolean => Math.abs(clock.now() - at) > than;

  return async (name) => {
    const isMissing = (): unknown => !held || isOlder(loadedAt, STALE) || (name && !held.byName.has(name));
    const wasMissing = isMissing();
    const isDue = wasMissing || isOlder(loadedAt, FRESH);
    if (isDue && (!held || isOlder(triedAt, PAUSE) || (wasMissing && loading))) {
      if (!loading || isWorkers()) {
        triedAt = clock.now();
        loading = load();
      }
      if (wasMissing || isWorkers()) await loading;
    }
    if (failure && isMissing()) throw failure;
    return held as Keys;
  };
};
