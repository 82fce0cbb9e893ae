import { createSession, handlers } from "../../session.js";

export const { POST } = handlers({
  async POST(request) {
    // … check the password first …
    const { user } = await request.json();
    await createSession({ userId: user, payload: { role: "user" } });
    return Response.json({});
  },
});
