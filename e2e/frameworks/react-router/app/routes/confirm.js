import { requireSession } from "../session.server.js";

export const action = async ({ request }) => {
  const session = await requireSession(request);
  await session.stepUp({ methods: ["otp"] });
  return Response.json({});
};
