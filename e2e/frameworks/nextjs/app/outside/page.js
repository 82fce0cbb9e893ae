import { requireSession } from "../../session.js";

/** The matcher of proxy.js does not cover it. */
export default async function Outside() {
  await requireSession();
  return <h1>Outside</h1>;
}
