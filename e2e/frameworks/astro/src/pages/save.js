import { requireSession } from "../session.js";

export const POST = async ({ request }) => {
  const session = await requireSession(request);
  await session.updatePayload({ role: "admin" });
  return Response.json({});
};
