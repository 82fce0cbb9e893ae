import { signOut } from "../session.server.js";

export const action = async ({ request }) => {
  await signOut(request);
  return Response.json({});
};
