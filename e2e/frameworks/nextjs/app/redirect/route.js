import { cookies } from "next/headers";
import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession();
    (await cookies()).set("app", "2");
    return new Response(undefined, { status: 302, headers: { location: "/public" } });
  },
});
