import { getSession, handlers } from "../../session.js";

export const { GET } = handlers({
  GET: async () => Response.json({ userId: (await getSession())?.userId ?? null }),
});
