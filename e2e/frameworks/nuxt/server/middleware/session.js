export default defineEventHandler((event) => handleSessions(event));
