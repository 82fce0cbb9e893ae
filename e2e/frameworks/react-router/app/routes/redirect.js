import { redirect } from "react-router";
import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  await requireSession(request);
  return redirect("/public", { headers: { "set-cookie": "app=2" } });
};
