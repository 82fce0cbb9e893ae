// The real engine on a real storage whose one session can be put back to any earlier state.
import { accessTokenFormats, createEngine, parseMasterKeys } from "@pawl/engine";
import { MemoryStorage } from "@pawl/storage";
import { openStorage } from "@pawl/storage-sqlite";
import { WINDOW } from "./honest-client.mjs";

const FAR = 4_000_000_000_000;
const YEAR = 365 * 86_400_000;
const METHODS = Object.keys(new MemoryStorage());

/** A copy of a session's tokens as its holder has it. */
const copyOf = ({ accessToken, refreshToken }) => {
  const body = JSON.parse(Buffer.from(accessToken.token.split(".")[1], "base64url").toString());
  const { seq, parentSeq, issuedAt } = accessTokenFormats.v5.claims(body);
  const iat = refreshToken.createdTime;
  return { id: `${seq}.${iat}`, seq, iat, usedAs: issuedAt, parentSeq, refreshToken: refreshToken.token };
};

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
 */
export const openStage = async (
  kind,
  { engineModule = { createEngine, parseMasterKeys, MemoryStorage }, around, policy } = {},
) => {
  const clock = { time: 1_800_000_000_000, now: () => clock.time };
  const { storage, restore } = await (kind === "sqlite" ? openSqlite : openMemory)(clock, engineModule);
  const line = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (...args) => {
        const call = () => storage()[method](...args);
        return around === undefined ? call() : around(method, call, args, storage());
      },
    ]),
  );
  // The explorer goes back in time, which no feed could follow.
  line.watchRevocations = () => () => undefined;
  line.now = () => clock.time;
  const engine = await engineModule.createEngine({
    storage: line,
    masterKeys: engineModule.parseMasterKeys(Buffer.alloc(32, 7).toString("base64")),
    policy: { reuseWindow: WINDOW, accessTokenValidity: YEAR, refreshTokenValidity: 10 * YEAR, ...policy },
  });

  return {
    clock,
    engine,
    async login() {
      const issued = await engine.createSession({ userId: "user" });
      const handle = issued.session.handle;
      return { handle, copy: copyOf(issued), row: await storage().getSession(handle) };
    },
    restore: async (row, now) => {
      clock.time = now;
      await restore(row);
    },
    row: (id) => storage().getSession(id),
    /** Presents a copy. @returns the outcome's kind, or what was thrown, and the copy in the answer. */
    async refresh(copy) {
      const asked = engine.refreshSession({ refreshToken: copy.refreshToken });
      const outcome = await asked.catch((error) => ({ kind: String(error) }));
      return outcome.kind === "refreshed" ? { kind: outcome.kind, copy: copyOf(outcome) } : { kind: outcome.kind };
    },
    async use(copy, handle) {
      await engine.reportUses([{ handle, seq: copy.seq, issuedAt: copy.usedAs }]);
    },
    close: async () => {
      await engine.close();
      await storage().close();
    },
  };
};
