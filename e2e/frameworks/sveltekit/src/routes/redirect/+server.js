import { redirect } from "@sveltejs/kit";
import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  await requireSession(event);
  event.cookies.set("app", "2", { path: "/" });
  redirect(302, "/public");
};
