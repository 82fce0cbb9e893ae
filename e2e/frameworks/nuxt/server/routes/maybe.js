export default defineSessionHandler(async (event) => ({ userId: (await getSession(event))?.userId ?? null }));
