import { json } from "@sveltejs/kit";
import { signOut } from "#lib/server/session.js";

export const POST = async (event) => {
  await signOut(event);
  return json({});
};
