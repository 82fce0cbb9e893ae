import { hooks } from "../../pawl.js";
import { createSession, handlers, requireSession, signOut } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    const session = await requireSession();
    const text = new TextEncoder();
    return new Response(
      new ReadableStream({
        async start(body) {
          body.enqueue(text.encode("one"));
          await hooks.wait({
            createSession: () => createSession({ userId: "alice", payload: { role: "user" } }),
            updatePayload: () => session.updatePayload({ role: "admin" }),
            signOut: () => signOut(),
          });
          body.enqueue(text.encode("two"));
          body.close();
        },
      }),
    );
  },
});
