import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  await requireSession(request);
  throw new Error("for the test");
};
