import { cookies } from "next/headers";
import { createSession, handlers } from "../../session.js";

export const { POST } = handlers({
  async POST(request) {
    (await cookies()).set("app", "1");
    const role = request.nextUrl.searchParams.get("role") === "admin" ? "admin" : "user";
    await createSession({ userId: "alice", payload: { role } });
    return Response.json({});
  },
});
