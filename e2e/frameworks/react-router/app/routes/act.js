import { answering, requireSession } from "../session.server.js";

export const action = answering(async ({ request }) => {
  const session = await requireSession(request);
  if (session.actor) await session.actAsSelf();
  else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
  return Response.json({});
});
