import { createSession } from "../session.js";

export const POST = async ({ request, url, cookies }) => {
  cookies.set("app", "1");
  const role = url.searchParams.get("role") === "admin" ? "admin" : "user";
  await createSession(request, { userId: "alice", payload: { role } });
  return Response.json({});
};
