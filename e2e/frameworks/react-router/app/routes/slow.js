import { hooks } from "../pawl.js";
import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  await requireSession(request);
  await hooks.wait();
  return Response.json({});
};
