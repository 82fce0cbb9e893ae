import { requireSession } from "#lib/server/session.js";

export const load = async (event) => {
  const { userId } = await requireSession(event, { where: ({ payload }) => payload.role === "admin" });
  return { userId };
};
