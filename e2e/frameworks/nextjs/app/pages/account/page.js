import { redirect } from "next/navigation";
import { action, requireSession, signOut } from "../../../session.js";

const leave = async () => {
  "use server";
  await action(async () => {
    await signOut();
    redirect("/pages/sign-in");
  })();
};

export default async function Account() {
  const { userId } = await requireSession();
  return (
    <form action={leave}>
      <h1>Hello {userId}</h1>
      <button>Sign out</button>
    </form>
  );
}
