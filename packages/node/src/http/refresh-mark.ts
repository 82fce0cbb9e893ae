/** In the query of a page: when the browser was sent back to it after a refresh, in ms by the machine's clock. */
const MARK = "pawl-refreshed";
/** How long a mark counts; a planted one can claim no more. */
const LIFETIME = 30_000;

/**
 * The location of a page, with a mark that a refresh was just tried: in the address, because a browser that has to be told may
 * keep no cookies. It is written into the text, for a parser of URLs would turn `/.//host` into `//host`.
 */
export const withRefreshMark = (location: string): string => {
  const [target = "", ...fragment] = location.split(/(?=#)/);
  return `${target}${target.includes("?") ? "&" : "?"}${MARK}=${Date.now()}${fragment.join("")}`;
};

/** Takes the mark away. @returns whether there was one. */
export const takeRefreshMark = ({ searchParams }: URL): boolean => {
  const isMarked = searchParams.has(MARK);
  if (isMarked) searchParams.delete(MARK);
  return isMarked;
};

/** Whether a refresh was tried just now: whatever else the request shows, another one would not help. */
export const wasJustRefreshed = (query: string): boolean =>
  query.includes(MARK) &&
  new URLSearchParams(query).getAll(MARK).some((at) => at !== "" && Math.abs(Date.now() - Number(at)) < LIFETIME);
