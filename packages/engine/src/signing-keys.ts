import type { Millis, SigningAlgorithm, SigningKeyKind, Storage } from "@pawl/storage";
import { millis } from "@pawl/storage";
import type { AccessTokenSigner } from "./access-token-format.js";
import { EngineError } from "./errors.js";
import type { VerificationKey } from "./jwt.js";
import type { KeySet, SigningKeyInformation } from "./key-set.js";
import type { MasterKey } from "./master-key.js";
import type { Policy } from "./policy.js";
import type { RandomSource } from "./random.js";

/** How long a key is published before it signs. Keys have to be reloaded (`maintain`) at least twice in this time. */
export const SIGNING_KEY_LEAD: Millis = millis(60_000);

export interface SigningKeysOptions {
  readonly storage: Storage;
  readonly masterKeys: readonly MasterKey[];
  readonly random: RandomSource;
  readonly policy: Pick<Policy, "accessTokenValidity" | "signingKeyUpdateInterval">;
  /** Called with all verification keys whenever they have changed, the first time before `createSigningKeys` resolves. */
  readonly onChange?: (keys: readonly VerificationKey[]) => void;
}

/** The signing keys of a store, as this process knows them. */
export interface SigningKeys {
  /** Creates the first key of an algorithm and kind, which signs at once. Two nodes that race end with the same one. */
  ensure(algorithm: SigningAlgorithm, kind: SigningKeyKind): Promise<void>;
  /**
   * The key that signs now: the newest whose time has come.
   * @throws EngineError `signing_key_missing` when there is none: call `ensure` first.
   */
  signer(algorithm: SigningAlgorithm, kind: SigningKeyKind, now: Millis): AccessTokenSigner;
  /** All published keys, newest first. */
  verificationKeys(): readonly VerificationKey[];
  keySet(algorithm?: SigningAlgorithm): KeySet;
  /** Reads the keys again from the store. */
  reload(): Promise<void>;
  /** Reloads, creates the dynamic keys that are due (of algorithms ensured here), deletes those no token can need. */
  maintain(): Promise<void>;
  /** Adds a dynamic key now; it signs after `SIGNING_KEY_LEAD`. */
  rotate(algorithm: SigningAlgorithm): Promise<SigningKeyInformation>;
  /** Newest first. */
  list(): readonly SigningKeyInformation[];
}

/**
 * Loads the signing keys of a store.
 * @throws EngineError `master_key_wrong`, `signing_key_corrupt`.
 */
export const createSigningKeys = async (options: SigningKeysOptions): Promise<SigningKeys> => {
  void options;
  throw new EngineError("signing_key_missing", "signing keys are not there yet");
};
