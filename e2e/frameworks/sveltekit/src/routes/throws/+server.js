import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  await requireSession(event);
  throw new Error("for the test");
};
