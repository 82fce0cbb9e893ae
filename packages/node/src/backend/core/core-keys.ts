import { performance } from "node:perf_hooks";
import { clearInterval, setInterval } from "node:timers";
import { type KeySet, SIGNING_KEY_LEAD, verificationKeysFromJwks } from "@pawl/engine";
import { singleFlight } from "@pawl/storage";
import type { CoreVerifier } from "./core-verifier.js";

/** At most one extra fetch in so many ms, however many tokens name unknown keys. */
const SHORTEST_PAUSE = 1000;

/**
 * Keeps a verifier's keys those that the core publishes. A key is published before it signs, and the set is read more
 * often than that; a token that names an unknown key causes one further read, rate-limited.
 */
export class CoreKeys {
  readonly #verifier: Pick<CoreVerifier, "setKeys">;
  readonly #fetch: () => Promise<KeySet>;
  readonly #timer: NodeJS.Timeout;
  #loadedAt = Number.NEGATIVE_INFINITY;

  constructor(verifier: Pick<CoreVerifier, "setKeys">, fetch: () => Promise<KeySet>) {
    this.#verifier = verifier;
    this.#fetch = fetch;
    this.#timer = setInterval(() => void this.load().catch(() => undefined), SIGNING_KEY_LEAD / 3).unref();
  }

  /** Reads the key set. */
  readonly load = singleFlight(async () => {
    this.#verifier.setKeys(verificationKeysFromJwks(await this.#fetch()));
    // A reading that failed does not count: the next caller has to learn of the trouble too.
    this.#loadedAt = performance.now();
  });

  /** Reads the key set because a token named a key that is not in it, unless it was read just before. */
  async loadForUnknownKey(): Promise<void> {
    if (performance.now() - this.#loadedAt < SHORTEST_PAUSE) return;
    await this.load();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
