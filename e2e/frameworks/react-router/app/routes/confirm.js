import { answering, requireSession } from "../session.server.js";

export const action = answering(async ({ request }) => {
  const session = await requireSession(request);
  await session.stepUp({ methods: ["otp"] });
  return Response.json({});
});
