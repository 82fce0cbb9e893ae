import { hooks } from "../pawl.js";
import { createSession, requireSession, signOut } from "../session.js";

export const GET = async ({ request }) => {
  const session = await requireSession(request);
  const text = new TextEncoder();
  return new Response(
    new ReadableStream({
      async start(body) {
        body.enqueue(text.encode("one"));
        await hooks.wait({
          createSession: () => createSession(request, { userId: "alice", payload: { role: "user" } }),
          updatePayload: () => session.updatePayload({ role: "admin" }),
          signOut: () => signOut(request),
        });
        body.enqueue(text.encode("two"));
        body.close();
      },
    }),
  );
};
