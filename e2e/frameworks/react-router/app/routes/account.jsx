import { redirect } from "react-router";
import { getSession } from "../session.server.js";

export const loader = async ({ request }) => {
  const session = await getSession(request);
  if (session === undefined) throw redirect("/sign-in");
  return { userId: session.userId };
};

export default function Account({ loaderData }) {
  return <h1>Hello {loaderData.userId}</h1>;
}
