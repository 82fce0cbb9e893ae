import { json } from "@sveltejs/kit";
import { getSession } from "#lib/server/session.js";

export const GET = async (event) => json({ userId: (await getSession(event))?.userId ?? null });
