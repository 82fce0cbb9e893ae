import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
  await requireSession(request);
  throw new Error("for the test");
};
