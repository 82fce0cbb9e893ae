import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession();
    return new Response("failed", { status: 500 });
  },
});
