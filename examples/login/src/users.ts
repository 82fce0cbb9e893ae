import { randomUUID } from "node:crypto";
import type { Database } from "./database.js";

export interface User {
  readonly id: string;
  readonly name: string;
  /** As argon2 writes it; null where the user logs in by other means. */
  readonly password: string | null;
  readonly role: "user" | "support";
  /** The OpenID provider where the user logs in; null where there is none. */
  readonly issuer: string | null;
}

export const openUsers = (database: Database) => {
  const prepare = (sql: string) => database.prepare(sql);
  const byId = prepare("SELECT * FROM users WHERE id = ?");
  const byName = prepare("SELECT * FROM users WHERE name = ?");
  const add = prepare("INSERT INTO users (id, name, password) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const byProvider = prepare("SELECT * FROM users WHERE issuer = ? AND subject = ?");
  const addOfProvider = prepare(
    "INSERT INTO users (id, name, issuer, subject) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const setPassword = prepare("UPDATE users SET password = ? WHERE id = ?");
  const setRole = prepare("UPDATE users SET role = ? WHERE name = ?");
  const remove = prepare("DELETE FROM users WHERE id = ?");

  return {
    get: (id: string) => byId.get(id) as User | undefined,
    findByName: (name: string) => byName.get(name) as User | undefined,
    /** @returns the new user's id; undefined where somebody has that name. */
    add(name: string, password: string): string | undefined {
      const id = randomUUID();
      return add.run(id, name, password).changes === 1 ? id : undefined;
    },
    /** The user of a login elsewhere, new or known. Never one of the same name, or address, who came another way. */
    ofProvider(issuer: string, subject: string): User {
      addOfProvider.run(randomUUID(), `${subject}@${new URL(issuer).host}`, issuer, subject);
      return byProvider.get(issuer, subject) as User;
    },
    setPassword: (id: string, password: string) => void setPassword.run(password, id),
    /** @returns whether there is such a user. */
    setRole: (name: string, role: User["role"]) => setRole.run(role, name).changes === 1,
    remove: (id: string) => void remove.run(id),
  };
};

export type Users = ReturnType<typeof openUsers>;
