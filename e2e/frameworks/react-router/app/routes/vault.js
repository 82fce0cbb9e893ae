import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  await requireSession(request, { maxAge: "10m", actor: false });
  return Response.json({});
};
