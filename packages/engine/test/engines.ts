import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStorage } from "@pawl/storage-sqlite";
import { type Clock, MemoryStorage, type Storage, type UserId } from "@pawl/storage";
import { afterEach, describe, expect } from "vitest";
import {
  createEngine,
  type IssuedSession,
  type Policy,
  parseMasterKeys,
  type RefreshOutcome,
  type SessionEngine,
} from "../src/index.js";
import { SECOND, StandingClock } from "./standing-clock.js";

export { DAY, HOUR, MINUTE, SECOND, StandingClock } from "./standing-clock.js";

/** The reuse window of the default policy. */
export const WINDOW = 30 * SECOND;

export const MASTER_KEYS = parseMasterKeys(Buffer.alloc(32, 7).toString("base64"));
export const USER = "user-1" as UserId;

/** One store with as many engines over it as a test opens. */
export interface Stage {
  readonly clock: StandingClock;
  readonly storage: Storage;
  /** A node of its own over the same store. */
  readonly engine: (policy?: Partial<Policy>) => Promise<SessionEngine>;
}

type OpenStore = (clock: Clock) => Promise<{ readonly storage: Storage; readonly discard: () => Promise<void> }>;

export const stores = {
  memory: async (clock: Clock) => {
    const storage = new MemoryStorage({ clock });
    return { storage, discard: () => storage.close() };
  },
  sqlite: async (clock: Clock) => {
    const folder = await mkdtemp(join(tmpdir(), "pawl-engine-"));
    const storage = await openStorage(`sqlite:${join(folder, "sessions.db")}`, { clock });
    await storage.migrate();
    const discard = async (): Promise<void> => {
      await storage.close();
      await rm(folder, { recursive: true, force: true });
    };
    return { storage, discard };
  },
} satisfies Readonly<Record<string, OpenStore>>;

/** Runs the same tests over every store that is at hand without a server. */
export const onEveryStore = (title: string, define: (open: () => Promise<Stage>) => void): void => {
  describe.each(Object.entries(stores))(`${title} (%s)`, (_name, openStore) => {
    const undo: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const discard of undo.splice(0).toReversed()) await discard();
    });

    define(async () => {
      const clock = new StandingClock();
      const { storage, discard } = await openStore(clock);
      undo.push(discard);
      return {
        clock,
        storage,
        engine: async (policy = {}) => {
          const engine = await createEngine({ storage, masterKeys: MASTER_KEYS, policy });
          undo.push(() => engine.close());
          return engine;
        },
      };
    });
  });
};

/** A stage of the in-memory store, for tests to which the store does not matter. */
export const memoryStage = (): Stage => {
  const clock = new StandingClock();
  const storage = new MemoryStorage({ clock });
  return {
    clock,
    storage,
    engine: (policy = {}) => createEngine({ storage, masterKeys: MASTER_KEYS, policy }),
  };
};

/** The tokens of an outcome that must be a refreshed session. */
export const refreshed = (outcome: RefreshOutcome): IssuedSession => {
  expect(outcome).toMatchObject({ kind: "refreshed" });
  return outcome as Extract<RefreshOutcome, { kind: "refreshed" }>;
};

export const refresh = (engine: SessionEngine, session: IssuedSession): Promise<RefreshOutcome> =>
  engine.refreshSession({ refreshToken: session.refreshToken.token });

/** The claims of an access token that must be valid. */
export const claimsOf = async (engine: SessionEngine, session: IssuedSession) => {
  const outcome = await engine.verifyAccessToken({ accessToken: session.accessToken.token });
  if (outcome.kind !== "valid") throw new Error(`expected a valid access token, got ${outcome.kind}`);
  return outcome.claims;
};

/** Presents the access token to a verifier that reports uses at once. */
export const use = async (engine: SessionEngine, session: IssuedSession): Promise<void> => {
  await engine.reportUses([await claimsOf(engine, session)]);
};
