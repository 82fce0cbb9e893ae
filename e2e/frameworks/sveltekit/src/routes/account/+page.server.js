import { redirect } from "@sveltejs/kit";
import { getSession, signOut } from "#lib/server/session.js";

export const load = async (event) => {
  const session = await getSession(event);
  if (session === undefined) redirect(303, "/sign-in");
  return { userId: session.userId };
};

export const actions = {
  default: async (event) => {
    await signOut(event);
    redirect(303, "/sign-in");
  },
};
