import { randomUUID } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import type { User, Users } from "./users.js";

/** Argon2id with 19 MiB, as OWASP's Password Storage Cheat Sheet asks: some 20 ms of one core. Raise it as machines grow. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** What NIST SP 800-63B-4 asks of a password that is the only factor: 15 characters, and no rule of composition. */
export const PASSWORD_LENGTH = { least: 15, most: 128 } as const;

/** One password can be typed in several ways; NFC is one of them. */
const normalized = (password: string): string => password.normalize("NFC");

export const hashPassword = (password: string): Promise<string> => hash(normalized(password), COST);

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

/** Counts a try with each of these. @returns after how many seconds to try again; undefined: now. */
const retryAfter = async (...tries: (readonly [RateLimiterMemory, key: string])[]): Promise<number | undefined> => {
  try {
    for (const [limiter, key] of tries) await limiter.consume(key);
    return undefined;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.ceil(refusal.msBeforeNext / 1000);
    throw refusal;
  }
};

/**
 * Checks names and passwords. Whether the name or the password is wrong can be told neither from the answer nor from its time,
 * and how often one may try is limited, for names that nobody has as well. Several processes would count in Redis or a database:
 * the library does both.
 */
export const openPasswords = async (users: Users) => {
  const byAddress = new RateLimiterMemory({ points: 50, duration: 15 * MINUTE });
  const byAddressAndName = new RateLimiterMemory({ points: 5, duration: 15 * MINUTE });
  // NIST SP 800-63B-4 allows 100 failures in a row, from anywhere. A passkey still works then.
  const byName = new RateLimiterMemory({ points: 100, duration: DAY });
  // What is verified where there is no password, so that it takes as long.
  const decoy = await hashPassword(randomUUID());

  return {
    /** @returns the user; undefined where the name or the password is wrong; after how many seconds to try again. */
    async check(name: string, password: string, address = ""): Promise<User | undefined | number> {
      const key = `${address} ${name}`;
      // Before anything is computed, so that it counts even if many come at once.
      const wait = await retryAfter([byAddress, address], [byAddressAndName, key], [byName, name]);
      if (wait !== undefined) return wait;
      const user = users.findByName(name);
      const matches = await verify(user?.password ?? decoy, normalized(password));
      if (user === undefined || user.password === null || !matches) return undefined;
      await Promise.all([byAddressAndName.delete(key), byName.delete(name)]);
      return user;
    },
    /** @returns the new user's id; undefined where the name is taken; after how many seconds to try again. */
    async register(name: string, password: string, address = ""): Promise<string | undefined | number> {
      const wait = await retryAfter([byAddress, address]);
      return wait ?? users.add(name, await hashPassword(password));
    },
  };
};

export type Passwords = Awaited<ReturnType<typeof openPasswords>>;
