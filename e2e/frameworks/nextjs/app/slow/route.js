import { hooks } from "../../pawl.js";
import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession();
    await hooks.wait();
    return Response.json({});
  },
});
