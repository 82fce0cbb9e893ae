import { json } from "@sveltejs/kit";
import { requireSession } from "#lib/server/session.js";

export const DELETE = async (event) => {
  await requireSession(event, { where: ({ payload }) => payload.role === "admin" });
  return json({});
};
