export default defineSessionHandler(async (event) => {
  const { userId, payload } = await requireSession(event);
  return { userId, role: payload.role };
});
