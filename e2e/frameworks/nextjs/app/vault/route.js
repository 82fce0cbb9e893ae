import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession({ maxAge: "10m", actor: false });
    return Response.json({});
  },
});
