import { pawl, withSessions } from "../../session.js";

export const POST = withSessions(async (_request, { res }) => {
  // … check the password first …
  await pawl.createNewSession(res, "Ada", { role: "reader" });
  return Response.json({});
});
