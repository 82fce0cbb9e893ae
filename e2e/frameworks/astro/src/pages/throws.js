import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
  await requireSession(request);
  return new Response("failed", { status: 500 });
};
