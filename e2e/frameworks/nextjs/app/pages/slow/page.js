import { hooks } from "../../../pawl.js";
import { requireSession } from "../../../session.js";

export default async function Slow() {
  const { userId } = await requireSession();
  await hooks.wait();
  return <h1>Slow for {userId}</h1>;
}
