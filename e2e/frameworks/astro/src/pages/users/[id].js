import { requireSession } from "../../session.js";

export const DELETE = async ({ request }) => {
  await requireSession(request, { where: ({ payload }) => payload.role === "admin" });
  return Response.json({});
};
