import { getSession } from "../session.server.js";

export const loader = async ({ request }) => Response.json({ userId: (await getSession(request))?.userId ?? null });
