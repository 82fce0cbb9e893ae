import { redirect } from "next/navigation";
import { action, createSession } from "../../../session.js";

const enter = async () => {
  "use server";
  await action(async () => {
    // … check the password first …
    await createSession({ userId: "alice", payload: { role: "user" } });
    redirect("/pages/account");
  })();
};

export default function SignIn() {
  return (
    <form action={enter}>
      <h1>Sign in</h1>
      <button>Sign in</button>
    </form>
  );
}
