import { json } from "@sveltejs/kit";
import { hooks } from "#lib/server/pawl.js";
import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  await requireSession(event);
  await hooks.wait();
  return json({});
};
