import { REFRESH_MARK } from "@pawl/protocol";

/**
 * The location of a page, with a mark that a refresh was just tried: in the address, because a browser that has to be told may
 * keep no cookies. It is written into the text, for a parser of URLs would turn `/.//host` into `//host`.
 */
export const withRefreshMark = (location: string): string => {
  const [target = "", ...fragment] = location.split(/(?=#)/);
  return `${target}${target.includes("?") ? "&" : "?"}${REFRESH_MARK}=${Date.now()}${fragment.join("")}`;
};

/** Takes the mark away. @returns whether there was one. */
export const takeRefreshMark = ({ searchParams }: URL): boolean => {
  const isMarked = searchParams.has(REFRESH_MARK);
  if (isMarked) searchParams.delete(REFRESH_MARK);
  return isMarked;
};
