export default defineSessionHandler(async (event) => {
  const session = await requireSession(event);
  await session.updatePayload({ role: "admin" });
  return {};
});
