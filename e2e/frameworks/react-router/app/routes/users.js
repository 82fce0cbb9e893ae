import { requireSession } from "../session.server.js";

export const action = async ({ request }) => {
  await requireSession(request, { where: ({ payload }) => payload.role === "admin" });
  return Response.json({});
};
