import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
  await requireSession(request, { maxAge: "10m", actor: false });
  return Response.json({});
};
