import { hooks } from "#lib/server/pawl.js";
import { createSession, requireSession, signOut } from "#lib/server/session.js";

export const GET = async (event) => {
  const session = await requireSession(event);
  const text = new TextEncoder();
  return new Response(
    new ReadableStream({
      async start(body) {
        body.enqueue(text.encode("one"));
        await hooks.wait({
          createSession: () => createSession(event, { userId: "alice", payload: { role: "user" } }),
          updatePayload: () => session.updatePayload({ role: "admin" }),
          signOut: () => signOut(event),
        });
        body.enqueue(text.encode("two"));
        body.close();
      },
    }),
  );
};
