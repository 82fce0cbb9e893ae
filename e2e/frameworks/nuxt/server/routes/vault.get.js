export default defineSessionHandler(async (event) => {
  await requireSession(event, { maxAge: "10m", actor: false });
  return {};
});
