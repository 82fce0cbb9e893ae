import { DEFAULT_PAGE_LIMIT, type RouteQuery } from "@pawl/protocol";
import type { PageRequest } from "@pawl/storage";

/** The page that a query asks for. */
export const pageOf = ({ limit = DEFAULT_PAGE_LIMIT, after }: RouteQuery<"listSessions">): PageRequest => ({
  limit,
  after,
});
