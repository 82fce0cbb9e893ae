import { json } from "@sveltejs/kit";
import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  const { userId, payload } = await requireSession(event);
  return json({ userId, role: payload.role });
};
