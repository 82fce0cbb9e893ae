import type { AddressInfo } from "node:net";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import express from "express";
import session, { type MemoryStore, type SessionData, type Store } from "express-session";
import { Pool } from "pg";
import { createClient } from "redis";
import { startPostgres, startRedis } from "@pawl/test-servers";
import { fromExpressSession } from "@pawl/node/adopt";
import type { OldCookie, OldSystem } from "./old-system.js";

declare module "express-session" {
  interface SessionData {
    userId?: string;
  }
}

const SECRET = "an old secret";

/** An application with express-session, over HTTP. */
const serve = async (store: Store, rest: Pick<OldSystem, "stop" | "close">): Promise<OldSystem> => {
  const app = express();
  // The secret was changed once: the newer one signs.
  app.use(
    session({
      secret: [SECRET, "an older one"],
      store,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 86_400_000 },
    }),
  );
  app.post("/login/:user", (request, response) => {
    request.session.userId = request.params.user;
    // The library ends the answer before it has stored the session.
    request.session.save(() => response.json({}));
  });
  const server = app.listen(0);
  const { port } = server.address() as AddressInfo;

  const sidOf = ([, value]: OldCookie): string => decodeURIComponent(value).slice(2).split(".", 1)[0] ?? "";
  const stored = (id: string) =>
    new Promise<SessionData>((resolve, reject) =>
      store.get(id, (error: unknown, found) =>
        found ? resolve(found) : reject(new Error("no session", { cause: error })),
      ),
    );
  return {
    adopt: fromExpressSession({
      store,
      secret: ["the next one", SECRET],
      session: ({ userId }) => (userId === undefined ? undefined : { userId, payload: { role: `role of ${userId}` } }),
    }),
    async login(userId) {
      const answer = await fetch(`http://localhost:${port}/login/${userId}`, { method: "POST" });
      const [, name = "", value = ""] = /^([^=]+)=([^;]+)/u.exec(answer.headers.getSetCookie()[0] ?? "") ?? [];
      return [name, value];
    },
    async expire(cookie) {
      const id = sidOf(cookie);
      const found = await stored(id);
      // As the library does when it stores a session.
      const over = { ...found, cookie: Object.assign(found.cookie, { expires: new Date(0), originalMaxAge: -1 }) };
      await new Promise<void>((resolve, reject) =>
        store.set(id, over, (error: unknown) => (error ? reject(error as Error) : resolve())),
      );
      return cookie;
    },
    ...rest,
    async close() {
      server.close();
      await rest.close();
    },
  };
};

export const inMemory = (): Promise<OldSystem> => {
  const store: MemoryStore = new session.MemoryStore();
  const stop = async (): Promise<void> => {
    store.get = (_id, callback) => callback(new Error("the store is down"));
  };
  return serve(store, { stop, close: async () => undefined });
};

export const inRedis = async (): Promise<OldSystem> => {
  const server = await startRedis();
  const client = createClient({ url: server.url, socket: { reconnectStrategy: false }, disableOfflineQueue: true });
  client.on("error", () => undefined);
  await client.connect();
  const stop = (): Promise<void> => server.shutDown();
  return serve(new RedisStore({ client }), {
    stop,
    async close() {
      if (client.isOpen) client.destroy();
      await server.stop();
    },
  });
};

export const inPostgres = async (): Promise<OldSystem> => {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url });
  pool.on("error", () => undefined);
  const PgStore = connectPgSimple(session);
  const store = new PgStore({
    pool,
    createTableIfMissing: true,
    pruneSessionInterval: false,
    errorLog: () => undefined,
  });
  const stop = (): Promise<void> => server.shutDown();
  return serve(store, {
    stop,
    async close() {
      await pool.end().catch(() => undefined);
      await server.stop();
    },
  });
};
