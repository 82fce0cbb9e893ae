export default defineSessionHandler(async (event) => {
  const session = await requireSession(event);
  if (session.actor) await session.actAsSelf();
  else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
  return {};
});
