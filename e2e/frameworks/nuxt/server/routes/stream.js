export default defineSessionHandler(async (event) => {
  const session = await requireSession(event);
  const text = new TextEncoder();
  return new ReadableStream({
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
  });
});
