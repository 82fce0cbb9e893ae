import { requireSession } from "../session.js";

export const GET = async ({ request, cookies, redirect }) => {
  await requireSession(request);
  cookies.set("app", "2");
  return redirect("/public");
};
