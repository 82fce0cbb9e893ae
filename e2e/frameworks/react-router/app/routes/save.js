import { requireSession } from "../session.server.js";

export const action = async ({ request }) => {
  const session = await requireSession(request);
  await session.updatePayload({ role: "admin" });
  return Response.json({});
};
