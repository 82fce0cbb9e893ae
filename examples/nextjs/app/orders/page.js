import { redirect } from "next/navigation";
import { readSession } from "../../session.js";

export default async function Orders() {
  const session = await readSession("/orders");
  if (session === undefined) redirect("/");
  return <h1>Orders of {session.userId}</h1>;
}
