import { getSession } from "../../../session.js";

export default async function Visitors() {
  const session = await getSession();
  return <h1>{session === undefined ? "Hello visitor" : `Hello ${session.userId}`}</h1>;
}
