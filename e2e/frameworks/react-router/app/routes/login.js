import { createSession } from "../session.server.js";

export const action = async ({ request }) => {
  const role = new URL(request.url).searchParams.get("role") === "admin" ? "admin" : "user";
  await createSession(request, { userId: "alice", payload: { role } });
  return Response.json({}, { headers: { "set-cookie": "app=1" } });
};
