import type { Request } from "express";
import type { Begun } from "./begun.js";
import type { Passkeys } from "./passkeys.js";
import type { Passwords } from "./passwords.js";
import type { ProviderSettings, Sessions } from "./sessions.js";
import type { Users } from "./users.js";

/** What all routes need. */
export interface Parts {
  /** What browsers call the application. */
  readonly origin: string;
  readonly provider: ProviderSettings;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly passkeys: Passkeys;
  readonly begun: Begun;
  readonly sessions: Sessions;
}

/** A field of a form; empty where it is missing, or is no text. */
export const field = (req: Request, name: string): string => {
  const value = (req.body as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === "string" ? value : "";
};

/** The pages that ask who is there, and nothing else: so that no link of others leads away after that. */
const asking = ["/account/password", "/account/delete", "/passkeys/new", "/vault"];

/** Where to go once it is known again who is there. */
export const backTo = (req: Request): string => {
  const wanted = field(req, "back") || req.query["back"];
  return asking.find((path) => path === wanted) ?? "/account";
};
