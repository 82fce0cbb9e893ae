/** In the query of a page: when the browser was sent back to it after a refresh, in ms by the machine's clock. */
export const REFRESH_MARK = "pawl-refreshed";
/** How long a mark counts; a planted one can claim no more. */
const LIFETIME = 30_000;

/** Whether a refresh was tried just now: whatever else the request shows, another one would not help. */
export const wasJustRefreshed = (query: string): boolean =>
  query.includes(REFRESH_MARK) &&
  new URLSearchParams(query)
    .getAll(REFRESH_MARK)
    .some((at) => at !== "" && Math.abs(Date.now() - Number(at)) < LIFETIME);
