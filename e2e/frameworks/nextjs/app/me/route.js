import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    const { userId, payload } = await requireSession();
    return Response.json({ userId, role: payload.role });
  },
});
