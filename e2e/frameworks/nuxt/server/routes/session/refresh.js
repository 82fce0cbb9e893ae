/** Reached where the session's own routes are elsewhere, as in one of the kit's tests: before the pages. */
export default defineEventHandler((event) => {
  setResponseStatus(event, 404);
  return "not found";
});
