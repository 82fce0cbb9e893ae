export default defineSessionHandler(async (event) => {
  await requireSession(event, { where: ({ payload }) => payload.role === "admin" });
  return {};
});
