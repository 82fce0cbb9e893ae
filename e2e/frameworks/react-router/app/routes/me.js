import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  const { userId, payload } = await requireSession(request);
  return Response.json({ userId, role: payload.role });
};
