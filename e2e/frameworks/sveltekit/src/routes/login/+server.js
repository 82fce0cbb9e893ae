import { json } from "@sveltejs/kit";
import { createSession } from "#lib/server/session.js";

export const POST = async (event) => {
  event.cookies.set("app", "1", { path: "/" });
  const role = event.url.searchParams.get("role") === "admin" ? "admin" : "user";
  await createSession(event, { userId: "alice", payload: { role } });
  return json({});
};
