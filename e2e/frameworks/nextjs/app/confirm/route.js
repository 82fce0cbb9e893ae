import { handlers, requireSession } from "../../session.js";

export const { POST } = handlers({
  async POST() {
    const session = await requireSession();
    await session.stepUp({ methods: ["otp"] });
    return Response.json({});
  },
});
