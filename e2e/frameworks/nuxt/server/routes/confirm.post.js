export default defineSessionHandler(async (event) => {
  const session = await requireSession(event);
  await session.stepUp({ methods: ["otp"] });
  return {};
});
