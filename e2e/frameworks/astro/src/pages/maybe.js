import { getSession } from "../session.js";

export const GET = async ({ request }) => Response.json({ userId: (await getSession(request))?.userId ?? null });
