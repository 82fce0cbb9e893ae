import { hooks } from "../../pawl.js";
import { handlers, requireSession } from "../../session.js";

export const { GET } = handlers({
  async GET() {
    await requireSession();
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
  },
});
