import Link from "next/link";
import { readSession } from "../session.js";
import { CallApi, LogIn, LogOut } from "./buttons.js";

export default async function Home() {
  const session = await readSession("/");
  if (session === undefined)
    return (
      <main>
        <h1>Welcome</h1>
        <LogIn />
      </main>
    );
  return (
    <main>
      <h1>Hello {session.userId}</h1>
      <Link href="/orders">Orders</Link>
      <CallApi />
      <LogOut />
    </main>
  );
}
