import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import * as ironSession8 from "iron-session";
import * as ironSession9 from "iron-session-9";
import { fromBetterAuth, fromIronSession } from "@pawl/node/adopt";
import type { OldSystem } from "./old-system.js";

const password = { 1: "a password of before that is long", 2: "a password of today that is long" };

const iron = ({ sealData, unsealData }: Pick<typeof ironSession8, "sealData" | "unsealData">, cookieName: string) => {
  const login = async (userId: string, ttl?: number) =>
    [cookieName, await sealData({ userId }, { password, ...(ttl !== undefined && { ttl }) })] as const;
  return async (): Promise<OldSystem> => ({
    adopt: fromIronSession({
      unsealData,
      cookieName,
      password,
      session: ({ userId }: { userId?: string }) =>
        userId === undefined ? undefined : { userId, payload: { role: `role of ${userId}` } },
    }),
    login: (userId) => login(userId),
    // Clocks may differ by a minute.
    expire: () => login("alice", -3600),
    close: async () => undefined,
  });
};

export const iron8 = iron(ironSession8, "iron");
export const iron9 = iron(ironSession9 as never, "iron");

export const betterAuthSessions = async (): Promise<OldSystem> => {
  const tables: Record<string, Record<string, unknown>[]> = { user: [], session: [], account: [], verification: [] };
  const auth = betterAuth({
    database: memoryAdapter(tables),
    secret: "a secret of better-auth, which is long",
    baseURL: "http://localhost:3000",
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true } },
    user: { additionalFields: { role: { type: "string", defaultValue: "a role of better-auth", input: false } } },
    logger: { disabled: true },
    telemetry: { enabled: false },
  });
  const users = new Map<string, string>();
  return {
    adopt: fromBetterAuth(auth, {
      session: ({ user }) => ({
        userId: user.name,
        payload: { role: `role of ${user.name}` },
      }),
    }),
    async login(userId) {
      const credentials = { email: `${userId}@example.com`, password: "a password of better-auth" };
      const isNew = !users.has(userId);
      users.set(userId, userId);
      const answer = isNew
        ? await auth.api.signUpEmail({ body: { ...credentials, name: userId }, asResponse: true })
        : await auth.api.signInEmail({ body: credentials, asResponse: true });
      const line = answer.headers.getSetCookie().find((text) => text.includes("session_token=")) ?? "";
      const [, name = "", value = ""] = /^([^=]+)=([^;]+)/u.exec(line) ?? [];
      return [name, value];
    },
    async expire(cookie) {
      for (const row of tables["session"] ?? []) row["expiresAt"] = new Date(0);
      return cookie;
    },
    async stop() {
      Object.defineProperty(tables, "session", {
        get: () => {
          throw new Error("the database is down");
        },
      });
    },
    close: async () => undefined,
  };
};
