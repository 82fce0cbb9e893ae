export default defineSessionHandler(async (event) => {
  setCookie(event, "app", "1");
  const role = getQuery(event).role === "admin" ? "admin" : "user";
  await createSession(event, { userId: "alice", payload: { role } });
  return {};
});
