import { handlers, requireSession } from "../../../session.js";

export const { DELETE } = handlers({
  async DELETE() {
    await requireSession({ where: ({ payload }) => payload.role === "admin" });
    return Response.json({});
  },
});
