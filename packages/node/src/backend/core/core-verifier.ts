import {
  type AudienceRule,
  audienceRuleOf,
  type AuthenticateOutcome,
  type Changed,
  createAccessTokenVerifier,
  type KeyedAccessTokenVerifier,
  type SessionHandle,
  type ToldSession,
  type VerificationKey,
  type VerifyInput,
  type VerifyOutcome,
} from "@pawl/engine";
import { type Clock, type Millis, millis, type SigningAlgorithm } from "@pawl/storage";

/** The rules of a core that verification goes by. */
export interface CoreRules {
  /** Ms. */
  readonly accessTokenValidity: number;
  readonly enableAntiCsrf: boolean;
  readonly issuer?: string | undefined;
  readonly audience?: readonly string[] | undefined;
}

/** Verifies access tokens by the rules of a core, which may come back from a restart with other ones. */
export class CoreVerifier {
  readonly #clock: Clock;
  readonly #onVersionLost: (() => void) | undefined;
  #rules: CoreRules;
  #current: KeyedAccessTokenVerifier;
  #keys: readonly VerificationKey[] = [];
  /** Verifiers of former rules: they know what was revoked or changed meanwhile, each for as long as its tokens may live. */
  #former: readonly { readonly verifier: KeyedAccessTokenVerifier; readonly until: Millis }[] = [];

  /** @param onVersionLost as that of a verifier. */
  constructor(clock: Clock, rules: CoreRules, onVersionLost?: () => void) {
    this.#clock = clock;
    this.#onVersionLost = onVersionLost;
    this.#rules = rules;
    this.#current = this.#verifierOf(rules);
  }

  /** ES256 as soon as the core has such a key: it keeps RSA keys beside it for the SDKs that know nothing else. */
  get signingAlgorithm(): SigningAlgorithm {
    return this.#keys.some(({ algorithm }) => algorithm === "ES256") ? "ES256" : "RS256";
  }

  /** What access tokens of the form `pawl` have to name, if anything. */
  get audienceRule(): AudienceRule | undefined {
    return audienceRuleOf(this.#rules);
  }

  setKeys(keys: readonly VerificationKey[]): void {
    this.#keys = keys;
    for (const verifier of this.#all()) verifier.setKeys(keys);
  }

  /** @returns whether tokens live longer than before: then what was heard lately must be heard again. */
  setRules(rules: CoreRules): boolean {
    const { accessTokenValidity, enableAntiCsrf } = this.#rules;
    for (const verifier of this.#all()) verifier.setAudienceRule(audienceRuleOf(rules));
    if (rules.accessTokenValidity === accessTokenValidity && rules.enableAntiCsrf === enableAntiCsrf) {
      this.#rules = rules;
      return false;
    }
    const now = this.#clock.now();
    const replaced = { verifier: this.#current, until: millis(now + accessTokenValidity) };
    this.#former = [...this.#former.filter(({ until }) => until > now), replaced];
    this.#rules = rules;
    this.#current = this.#verifierOf(rules);
    return rules.accessTokenValidity > accessTokenValidity;
  }

  verify(input: VerifyInput): VerifyOutcome {
    const outcome = this.#current.verify(input);
    return outcome.kind === "valid" && this.#former.length > 0 ? this.#askFormer(input, outcome) : outcome;
  }

  /** How many sessions are marked as revoked or changed. */
  get marked(): number {
    return Math.max(...this.#all().map(({ marked }) => marked));
  }

  authenticate(accessToken: string): AuthenticateOutcome {
    return this.#current.authenticate(accessToken);
  }

  markRevoked(handle: SessionHandle, at: number): void {
    this.#current.markRevoked(handle, at);
  }

  markChanged(change: Changed): void {
    this.#current.markChanged(change);
  }

  isRevoked(handle: SessionHandle): boolean {
    return this.#current.isRevoked(handle) || this.#former.some(({ verifier }) => verifier.isRevoked(handle));
  }

  isOvertaken(told: ToldSession): boolean {
    return this.#current.isOvertaken(told) || this.#former.some(({ verifier }) => verifier.isOvertaken(told));
  }

  #askFormer({ accessToken }: VerifyInput, outcome: VerifyOutcome): VerifyOutcome {
    const now = this.#clock.now();
    if (this.#former.some(({ until }) => until <= now)) this.#former = this.#former.filter(({ until }) => until > now);
    const answers = this.#former.map(({ verifier }) => verifier.verify({ accessToken, doAntiCsrfCheck: false }));
    return (
      answers.find((answer) => answer.kind === "unauthorised") ??
      answers.find((answer) => answer.kind === "try_refresh") ??
      outcome
    );
  }

  #all(): readonly KeyedAccessTokenVerifier[] {
    return [this.#current, ...this.#former.map(({ verifier }) => verifier)];
  }

  #verifierOf(rules: CoreRules): KeyedAccessTokenVerifier {
    const { accessTokenValidity, enableAntiCsrf } = rules;
    return createAccessTokenVerifier({
      audienceRule: audienceRuleOf(rules),
      clock: this.#clock,
      keys: this.#keys,
      accessTokenValidity: millis(accessTokenValidity),
      enableAntiCsrf,
      onVersionLost: this.#onVersionLost,
    });
  }
}
