import { handlers, requireSession } from "../../session.js";

export const { POST } = handlers({
  async POST() {
    const session = await requireSession();
    if (session.actor) await session.actAsSelf();
    else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
    return Response.json({});
  },
});
