import { signOut } from "../session.js";

export const POST = async ({ request }) => {
  await signOut(request);
  return Response.json({});
};
