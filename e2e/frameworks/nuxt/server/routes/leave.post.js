export default defineSessionHandler(async (event) => {
  await signOut(event);
  return {};
});
