import { json } from "@sveltejs/kit";
import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  await requireSession(event, { maxAge: "10m", actor: false });
  return json({});
};
