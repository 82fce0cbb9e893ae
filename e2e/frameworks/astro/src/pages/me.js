import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
  const { userId, payload } = await requireSession(request);
  return Response.json({ userId, role: payload.role });
};
