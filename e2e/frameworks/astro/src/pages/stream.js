import { hooks } from "../pawl.js";
import { requireSession } from "../session.js";

export const GET = async ({ request }) => {
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
