export default defineSessionHandler(async (event) => {
  await requireSession(event);
  await hooks.wait();
  return {};
});
