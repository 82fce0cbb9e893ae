import type { KeySet } from "@pawl/engine";
import type { SigningAlgorithm } from "@pawl/storage";
import { integerField, InputError, objectField, optionalBooleanField, readFields, stringField } from "../cdi-input.js";
import { jsonReply } from "../cdi-reply.js";
import { signingKeyMembers } from "../signing-key-members.js";
import type { CdiHandlers, CdiOptions } from "./cdi-call.js";

/** Key sets, the handshake, and JWTs signed for the application. */
export const createKeyHandlers = ({ engine, config }: CdiOptions) => {
  const { policy } = engine;
  const { cdiSigningAlgorithm, keyKind } = config;
  /**
   * Algorithms to sign with. SDKs ask for RS256 for JWTs of their own even where sessions use ES256, and tokens issued
   * before ES256 was chosen may still be in use.
   */
  const algorithms: readonly SigningAlgorithm[] = cdiSigningAlgorithm === "RS256" ? ["RS256"] : ["ES256", "RS256"];

  /** Dynamic keys first. */
  const keySet = async (): Promise<KeySet> => {
    // An SDK keeps the set for hours: a key that is not made yet would be missing from it.
    for (const algorithm of algorithms)
      for (const kind of ["dynamic", "static"] as const) await engine.publishedSigningKeys(algorithm, kind);
    const { keys } = engine.keySet(cdiSigningAlgorithm === "RS256" ? "RS256" : undefined);
    const isDynamic = ({ kid }: { readonly kid: string }): boolean => kid.startsWith("d-");
    return { keys: [...keys.filter(isDynamic), ...keys.filter((key) => !isDynamic(key))] };
  };

  return {
    async keySet() {
      const set = await keySet();
      const next = Math.min(...algorithms.map((algorithm) => engine.nextSigningKeyAt(algorithm)));
      const seconds = Math.floor((next - engine.storage.now()) / 1000);
      return { ...jsonReply(set), cacheControl: `max-age=${Math.max(1, seconds)}, must-revalidate` };
    },

    async listKeys() {
      return jsonReply({ ...(await keySet()), status: "OK" });
    },

    async handshake({ body }) {
      readFields(body);
      const keys = await signingKeyMembers(engine, { keyKind, list: true });
      return jsonReply({ status: "OK" }, keys, {
        accessTokenBlacklistingEnabled: policy.checkDatabase,
        accessTokenValidity: policy.accessTokenValidity,
        refreshTokenValidity: policy.refreshTokenValidity,
      });
    },

    async createJwt({ body }) {
      const fields = readFields(body);
      const named = stringField(fields, "algorithm");
      const issuer = stringField(fields, "jwksDomain");
      const payload = objectField(fields, "payload");
      const validity = integerField(fields, "validity");
      const isStatic = optionalBooleanField(fields, "useStaticSigningKey") ?? true;
      // The original's text; it refuses 0 too.
      if (validity <= 0) throw new InputError("validity must be greater than or equal to 0");
      const algorithm = algorithms.find((known) => known === named.toUpperCase());
      if (algorithm === undefined) return jsonReply({ status: "UNSUPPORTED_ALGORITHM_ERROR" });
      const kind = isStatic ? "static" : "dynamic";
      const jwt = await engine.issueJwt({ payload, issuer, validity, algorithm, keyKind: kind });
      return jsonReply({ status: "OK", jwt });
    },
  } satisfies Partial<CdiHandlers>;
};
