import { redirect } from "@sveltejs/kit";
import { createSession } from "#lib/server/session.js";

export const actions = {
  default: async (event) => {
    // … check the password first …
    await createSession(event, { userId: "alice", payload: { role: "user" } });
    redirect(303, "/account");
  },
};
