// The real engine on a real storage whose one session can be put back to any earlier state.
import { accessTokenFormats, createEngine, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage, millis } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { createClock } from "../clock.mjs";
import { sessionId, userId } from "../identifiers.mjs";
import { WINDOW } from "./honest-client.mjs";

/**
 * @typedef {import("@pawl/storage").SessionRecord} Row
 * @typedef {import("@pawl/storage").SessionId} SessionId
 * @typedef {import("@pawl/storage").Storage} Storage
 * @typedef {ReturnType<typeof copyOf>} Copy
 * @typedef {(method: string, call: () => Promise<any>, args: any[], storage: Storage) => Promise<any>} Around
 * @typedef {{ createEngine: typeof createEngine, parseMasterKeys: typeof parseMasterKeys, MemoryStorage: typeof MemoryStorage }} EngineModule
 * @typedef {Awaited<ReturnType<typeof openStage>>} Stage
 */

const FAR = millis(4_000_000_000_000);
const YEAR = 365 * 86_400_000;
const METHODS = Object.keys(new MemoryStorage());

const masterKey = Buffer.alloc(32, 7).toString("base64");

export const engineModule = { createEngine, parseMasterKeys, MemoryStorage };

/** What an access token says. */
export const claimsOf = (/** @type {string} */ accessToken) => {
  const [head, body] = accessToken
    .split(".", 2)
    .map((part) => JSON.parse(Buffer.from(part, "base64url").toString() || "{}"));
  const format = Object.values(accessTokenFormats).find(({ version }) => version === head.version);
  const claims = format?.claims(body);
  if (claims === undefined) throw new Error("the engine issued a token that says nothing");
  return claims;
};

/** A copy of a session's tokens as its holder has it. */
const copyOf = (/** @type {import("@pawl/engine").IssuedSession} */ { accessToken, refreshToken }) => {
  const { seq, parentSeq, issuedAt } = claimsOf(accessToken.token);
  const iat = refreshToken.createdTime;
  return { id: `${seq}.${iat}`, seq, iat, usedAs: issuedAt, parentSeq, refreshToken: refreshToken.token };
};

/** @typedef {{ storage: () => Storage, restore: (row: Row) => Promise<void> }} Store */

/** @type {(clock: import("@pawl/storage").Clock, engineModule: EngineModule) => Promise<Store>} */
const openMemory = async (clock, { MemoryStorage }) => {
  let current = new MemoryStorage({ clock });
  return {
    storage: () => current,
    restore: async (row) => {
      current = new MemoryStorage({ clock });
      await current.createSession(row);
    },
  };
};

/** @type {typeof openMemory} */
const openSqlite = async (clock) => {
  const storage = await openStorage("sqlite::memory:", { clock });
  await storage.migrate();
  return {
    storage: () => storage,
    restore: async (row) => {
      await storage.deleteExpired(FAR, 1000);
      await storage.createSession(row);
    },
  };
};

/**
 * Opens a stage. `engineModule` may be a broken engine; `around(method, call, args, storage)` may hold a call of the
 * storage back, or do it in another way.
 * @param {import("../faults/stage.mjs").StoreKind} kind
 * @param {{ engineModule?: EngineModule, around?: Around | undefined, policy?: Partial<import("@pawl/engine").Policy> }} [options]
 */
export const openStage = async (kind, { engineModule: broken = engineModule, around, policy } = {}) => {
  const clock = createClock();
  const { storage, restore } = await (kind === "sqlite" ? openSqlite : openMemory)(clock, broken);
  /** @type {Record<string, any>} */
  const line = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (/** @type {any[]} */ ...args) => {
        const call = () => /** @type {any} */ (storage())[method](...args);
        return around === undefined ? call() : around(method, call, args, storage());
      },
    ]),
  );
  // The explorer goes back in time, which no feed could follow.
  line["watchFeeds"] = () => () => undefined;
  line["now"] = clock.now;
  const engine = await broken.createEngine({
    storage: /** @type {Storage} */ (line),
    masterKeys: broken.parseMasterKeys(masterKey),
    policy: {
      reuseWindow: millis(WINDOW),
      accessTokenValidity: millis(YEAR),
      refreshTokenValidity: millis(10 * YEAR),
      ...policy,
    },
  });

  const rowOf = async (/** @type {SessionId} */ id) => {
    const row = await storage().getSession(id);
    if (row === undefined) throw new Error("the session is gone");
    return row;
  };

  return {
    clock,
    engine,
    /** What the engine stands on, for another one beside it. */
    storage: /** @type {Storage} */ (line),
    masterKey,
    async login() {
      const issued = await engine.createSession({ userId: userId("user") });
      const { handle } = issued.session;
      return { handle, copy: copyOf(issued), row: await rowOf(sessionId(handle)) };
    },
    restore: async (/** @type {Row} */ row, /** @type {number} */ now) => {
      clock.time = now;
      await restore(row);
    },
    row: rowOf,
    /**
     * Presents a copy.
     * @param {Pick<Copy, "refreshToken">} copy
     * @returns {Promise<{ kind: string, copy?: Copy }>} the outcome's kind, or what was thrown, and the copy in the answer
     */
    async refresh({ refreshToken }) {
      try {
        const outcome = await engine.refreshSession({ refreshToken });
        return outcome.kind === "refreshed" ? { kind: outcome.kind, copy: copyOf(outcome) } : { kind: outcome.kind };
      } catch (error) {
        return { kind: String(error) };
      }
    },
    async use(/** @type {Copy} */ copy, /** @type {import("@pawl/engine").SessionHandle} */ handle) {
      await engine.reportUses([{ handle, seq: copy.seq, issuedAt: copy.usedAs }]);
    },
    close: async () => {
      await engine.close();
      await storage().close();
    },
  };
};
