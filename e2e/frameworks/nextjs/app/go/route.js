import { redirect } from "next/navigation";
import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession();
    redirect("/public");
  },
});
