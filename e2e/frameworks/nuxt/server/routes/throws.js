export default defineSessionHandler(async (event) => {
  await requireSession(event);
  throw new Error("for the test");
});
