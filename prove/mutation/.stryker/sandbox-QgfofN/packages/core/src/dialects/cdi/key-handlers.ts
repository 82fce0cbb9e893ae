import type { KeySet } from "@pawl/engine";
import type { CoreReply } from "../../server/exchange.js";
import { integerField, InputError, objectField, optionalBooleanField, readFields, stringField } from "../cdi-input.js";
import { jsonReply } from "../cdi-reply.js";
import { signingKeyMembers } from "../signing-key-members.js";
import type { CdiHandlers, CdiOptions } from "./cdi-call.js";

/** What tells keys, and what is signed for the application. */
export const createKeyHandlers = ({
  engine,
  config,
}: CdiOptions): CdiHandlers<"keySet" | "handshake" | "createJwt" | "listKeys"> => {
  const { policy } = engine;
  const { cdiSigningAlgorithm: algorithm, keyKind } = config;
  const reply = (members: object): CoreReply => jsonReply(JSON.stringify(members));

  /** Dynamic keys first. With ES256 those of RS256 as well: tokens from before the choice may still be about. */
  const keySet = async (): Promise<KeySet> => {
    // An SDK keeps the set for hours: a key that is not made yet would be missing from it.
    await Promise.all([
      engine.publishedSigningKeys(algorithm, "dynamic"),
      engine.publishedSigningKeys(algorithm, "static"),
    ]);
    const { keys } = engine.keySet(algorithm === "RS256" ? algorithm : undefined);
    const isDynamic = ({ kid }: { readonly kid: string }): boolean => kid.startsWith("d-");
    return { keys: [...keys.filter(isDynamic), ...keys.filter((key) => !isDynamic(key))] };
  };

  return {
    async keySet() {
      const set = await keySet();
      const seconds = Math.floor((engine.nextSigningKeyAt(algorithm) - engine.storage.now()) / 1000);
      return { ...reply(set), cacheControl: `max-age=${Math.max(1, seconds)}, must-revalidate` };
    },

    async listKeys() {
      return reply({ ...(await keySet()), status: "OK" });
    },

    async handshake({ body }) {
      readFields(body);
      const keys = await signingKeyMembers(engine, { keyKind, list: true });
      const rules = JSON.stringify({
        accessTokenBlacklistingEnabled: policy.checkDatabase,
        accessTokenValidity: policy.accessTokenValidity,
        refreshTokenValidity: policy.refreshTokenValidity,
      });
      return jsonReply(`{"status":"OK",${keys},${rules.slice(1)}`);
    },

    async createJwt({ body }) {
      const fields = readFields(body);
      const asked = stringField(fields, "algorithm");
      const issuer = stringField(fields, "jwksDomain");
      const payload = objectField(fields, "payload");
      const validity = integerField(fields, "validity");
      const isStatic = optionalBooleanField(fields, "useStaticSigningKey") ?? true;
      // The original's text; it refuses 0 too.
      if (validity <= 0) throw new InputError("validity must be greater than or equal to 0");
      if (asked.toUpperCase() !== algorithm) return reply({ status: "UNSUPPORTED_ALGORITHM_ERROR" });
      const kind = isStatic ? "static" : "dynamic";
      const jwt = await engine.issueJwt({ payload, issuer, validity, algorithm, keyKind: kind });
      return reply({ status: "OK", jwt });
    },
  };
};
