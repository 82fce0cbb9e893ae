import { handlers } from "../../session.js";

export const { GET, OPTIONS } = handlers({ GET: () => new Response("public") });
