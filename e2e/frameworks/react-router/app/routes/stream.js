import { hooks } from "../pawl.js";
import { requireSession } from "../session.server.js";

export const loader = async ({ request }) => {
  await requireSession(request);
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
