import { createPawl } from "@pawl/supertokens";
import { sessionHandler } from "@pawl/supertokens/fetch";
import { headers } from "next/headers";
import { redirect } from "next/navigation";

// One for the process, though Next.js loads this file for each of its bundles.
export const pawl = (globalThis.pawl ??= createPawl({
  storage: process.env.STORAGE ?? "sqlite:./sessions.db",
  cookies: { secure: false, sameSite: "lax" }, // for http://localhost only: leave it out in production
}));

/** A route handler around which sessions are put; without one, the session's own routes. */
export const withSessions = (handler = () => new Response("not found", { status: 404 })) =>
  sessionHandler({ pawl }, handler);

/**
 * The session for a server component, which cannot set cookies: nothing is changed. When the access token has ended the
 * browser is sent to get new cookies, and comes back to `path`.
 */
export const readSession = async (path) => {
  const session = await pawl.readSession({ headers: await headers() });
  if (session.kind === "try_refresh") redirect(`/session/refresh?return=${encodeURIComponent(path)}`);
  return session.kind === "valid" ? session : undefined;
};
