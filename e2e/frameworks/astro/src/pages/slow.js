import { hooks } from "../pawl.js";
import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
  await requireSession(request);
  await hooks.wait();
  return Response.json({});
};
