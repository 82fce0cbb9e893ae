import { createPawl, SessionError } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import type { User, Users } from "./users.js";

/** An application as an OpenID provider knows it. */
export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Pawl, with the role of each user as it is in our table. */
export const openSessions = (file: string, users: Users, { issuer, clientId }: ProviderSettings) => {
  const pawl = createPawl({
    storage: `sqlite:${file}`,
    // Who logs out there is logged out here: `routes()` hears of it.
    identityProviders: [{ issuer, clientId }],
    loadPayload: ({ userId }) => ({ role: users.get(userId)?.role ?? "user" }),
  });
  const bound = forExpress(pawl);
  const { requireSession, sessionOf } = bound;
  return {
    pawl,
    ...bound,
    /** The user of a request behind `requireSession`. @throws SessionError `UNAUTHORISED` where the account is gone. */
    ownerOf: (req: Parameters<typeof sessionOf>[0]): User => {
      const user = users.get(sessionOf(req).userId);
      if (user === undefined) throw new SessionError("UNAUTHORISED", "the account is gone");
      return user;
    },
    anybody: requireSession(),
    /** Whoever the session belongs to, and nobody who acts for them. */
    self: requireSession({ actor: false }),
    /** They have just proved who they are, in any way. */
    confirmed: requireSession({ actor: false, maxAge: "5m" }),
    /** They have just done so with a passkey. */
    confirmedByPasskey: requireSession({ actor: false, maxAge: "5m", methods: PASSKEY_METHODS }),
    support: requireSession({ actor: false, where: ({ payload }) => payload.role === "support" }),
  };
};

/** As RFC 8176 names them: a key was used, and its owner verified. */
export const PASSKEY_METHODS = ["pop", "mfa"];

export type Sessions = ReturnType<typeof openSessions>;
export type Session = ReturnType<Sessions["sessionOf"]>;
