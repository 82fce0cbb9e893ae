export default defineSessionHandler(async (event) => {
  await requireSession(event);
  const text = new TextEncoder();
  return new ReadableStream({
    async start(body) {
      body.enqueue(text.encode("one"));
      await hooks.wait();
      body.enqueue(text.encode("two"));
      body.close();
    },
  });
});
