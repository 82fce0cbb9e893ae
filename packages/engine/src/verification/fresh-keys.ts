import { singleFlight, type Storage } from "@pawl/storage";
import type { SigningKeys } from "../keys/signing-keys.js";
import type { VerifyOutcome } from "../session.js";
import type { AuthenticateOutcome } from "./access-token-verifier.js";

/** Keys are read again for a token of an unknown key, at most this often, in milliseconds. */
const RELOAD_INTERVAL = 1000;

/**
 * Checks a token; when its key is not known here yet, once more after reading the keys, unless they were just read. A
 * reading that failed does not count: the next caller has to learn of the trouble too.
 */
export type WithFreshKeys = <Outcome extends VerifyOutcome | AuthenticateOutcome>(
  check: () => Outcome,
) => Promise<Outcome>;

export const createFreshKeys = ({
  storage,
  signingKeys,
}: {
  readonly storage: Pick<Storage, "now">;
  readonly signingKeys: Pick<SigningKeys, "reload">;
}): WithFreshKeys => {
  let loadedAt = Number.NEGATIVE_INFINITY;
  const reloadKeys = singleFlight(async () => {
    const started = storage.now();
    await signingKeys.reload();
    loadedAt = started;
  });
  return async (check) => {
    const outcome = check();
    if (outcome.kind !== "try_refresh" || outcome.why !== "unknown_key") return outcome;
    // Absolute, so that a clock that was set back does not lock the keys out.
    if (Math.abs(storage.now() - loadedAt) < RELOAD_INTERVAL) return outcome;
    await reloadKeys();
    return check();
  };
};
