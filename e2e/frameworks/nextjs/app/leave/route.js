import { handlers, signOut } from "../../session.js";

export const { POST } = handlers({
  async POST() {
    await signOut();
    return Response.json({});
  },
});
