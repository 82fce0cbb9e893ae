import { requireSession } from "../session.js";

export const POST = async ({ request }) => {
  const session = await requireSession(request);
  await session.stepUp({ methods: ["otp"] });
  return Response.json({});
};
