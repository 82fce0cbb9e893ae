import { createHash } from "node:crypto";
import type { Storage } from "@pawl/storage";
import { replaceFact } from "../fact.js";

const PREFIX = "logout_tokens:";
/** In each of 256 facts of the store, so that together they hold what a provider sends at worst, and never more. */
const MOST_IN_A_FACT = 32;

/** A token by its digest, and until when it is remembered, seconds since the epoch. */
type Remembered = readonly (readonly [digest: string, until: number])[];

/**
 * The logout tokens that were received (step 8 of OpenID Connect Back-Channel Logout 1.0, section 2.6), for all nodes of a
 * store. When there are too many, those that come to their end first are forgotten.
 */
export interface ReplayMemory {
  knows(token: NamedToken): Promise<boolean>;
  /** @param until seconds since the epoch. @returns false when it was remembered already. */
  remember(token: NamedToken, until: number): Promise<boolean>;
}

interface NamedToken {
  readonly issuer: string;
  readonly jti: string;
}

export const createReplayMemory = (storage: Pick<Storage, "now" | "claimMeta" | "replaceMeta">): ReplayMemory => {
  const parse = (text: string): Remembered => {
    const now = storage.now() / 1000;
    return (JSON.parse(text) as Remembered).filter(([, until]) => until > now);
  };
  return {
    async knows(token) {
      const { fact, digest } = placeOf(token);
      return holds(parse((await storage.claimMeta(fact)) ?? "[]"), digest);
    },

    async remember(token, until) {
      const { fact, digest } = placeOf(token);
      let isNew = true;
      await replaceFact(storage, fact, {
        initial: "[]",
        change(text) {
          const present = parse(text);
          isNew = !holds(present, digest);
          if (!isNew) return text;
          const all = [...present, [digest, until] as const].toSorted(([, one], [, other]) => other - one);
          return JSON.stringify(all.slice(0, MOST_IN_A_FACT));
        },
      });
      return isNew;
    },
  };
};

const holds = (remembered: Remembered, digest: string): boolean => remembered.some(([known]) => known === digest);

const placeOf = ({ issuer, jti }: NamedToken): { readonly fact: string; readonly digest: string } => {
  const hash = createHash("sha256")
    .update(JSON.stringify([issuer, jti]))
    .digest("hex");
  return { fact: PREFIX + hash.slice(0, 2), digest: hash.slice(2, 34) };
};
