import { useEffect, useState } from "preact/hooks";

/** What is shown, as the fragment of the address says: `#/user?id=alice`. It never reaches a server. */
export interface Route {
  readonly page: string;
  readonly params: Readonly<Record<string, string>>;
}

const readRoute = (): Route => {
  const [page = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { page, params: Object.fromEntries(new URLSearchParams(query)) };
};

/** The address of a page. */
export const href = (page: string, params: Readonly<Record<string, string | undefined>> = {}): string => {
  const given = Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `#/${page}${given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`}`;
};

export const userHref = (user: { readonly userId: string; readonly tenantId: string }): string =>
  href("user", { id: user.userId, tenant: user.tenantId });

export const storyHref = (handle: string): string => href("session", { handle });

export const useRoute = (): Route => {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const read = (): void => setRoute(readRoute());
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return route;
};
