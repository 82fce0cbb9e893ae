export default defineSessionHandler(async (event) => {
  await requireSession(event);
  setCookie(event, "app", "2");
  return sendRedirect(event, "/public");
});
