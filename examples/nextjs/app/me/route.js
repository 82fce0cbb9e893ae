import { pawl, withSessions } from "../../session.js";

export const POST = withSessions(async (_request, { req, res }) => {
  const session = await pawl.getSession(req, res, true);
  return Response.json({ userId: session.getUserId() });
});
