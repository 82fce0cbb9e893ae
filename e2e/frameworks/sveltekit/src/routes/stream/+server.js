import { hooks } from "#lib/server/pawl.js";
import { requireSession } from "#lib/server/session.js";

export const GET = async (event) => {
  await requireSession(event);
  const text = new TextEncoder();
  return new Response(
    new ReadableStream({
      async start(body) {
        body.enqueue(text.encode("one"));
        await hooks.wait();
        body.enqueue(text.encode("two"));
        body.close();
      },
    }),
  );
};
