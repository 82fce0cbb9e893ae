import { json } from "@sveltejs/kit";
import { requireSession } from "#lib/server/session.js";

export const POST = async (event) => {
  const session = await requireSession(event);
  await session.stepUp({ methods: ["otp"] });
  return json({});
};
