import type { IncomingHttpHeaders } from "node:http";
import type { NodeRequest } from "@pawl/node/http";
import type { NodeResponse } from "./response.js";

/** What is needed of a request in runtimes that speak `fetch`. */
export interface FetchRequest {
  readonly headers: Pick<Headers, "get" | "forEach">;
}

/** A request and the headers that its answer is to get, as the functions with `req` and `res` take them. */
export interface FetchExchange {
  readonly req: NodeRequest;
  readonly res: NodeResponse;
  /** The answer with what `req` and `res` were given to meanwhile: cookies and headers of the session. */
  readonly applyTo: (response: Response) => Response;
}

/**
 * Lets a handler of the form Request → Response use sessions.
 * @example
 * const { req, res, applyTo } = fetchExchange(request);
 * const session = await getSession(req, res, false);
 * return applyTo(Response.json({ userId: session.getUserId() }));
 */
export const fetchExchange = (
  request: FetchRequest & { readonly url: string; readonly method: string },
): FetchExchange => {
  const answer = new Map<string, string | readonly string[]>();
  const { pathname, search, host } = new URL(request.url);
  // A runtime whose requests have no `Host` knows it from the URL alone.
  const req = { headers: { host, ...requestHeaders(request.headers) }, method: request.method, url: pathname + search };
  return {
    req,
    res: {
      req,
      getHeader: (name) => answer.get(name.toLowerCase()),
      setHeader: (name, value) => answer.set(name.toLowerCase(), value),
    },
    applyTo(response) {
      if (answer.size === 0) return response;
      // A copy: the headers of what `fetch` or `Response.redirect` made cannot be changed.
      const applied = new Response(response.body, response);
      for (const [name, value] of answer)
        if (typeof value === "object") for (const line of value) applied.headers.append(name, line);
        else if (name === "vary" || name === "access-control-expose-headers") applied.headers.append(name, value);
        else applied.headers.set(name, value);
      return applied;
    },
  };
};

/** Headers of either kind of request, as `node:http` has them. */
export const requestHeaders = (headers: IncomingHttpHeaders | FetchRequest["headers"]): IncomingHttpHeaders => {
  if (typeof headers.forEach !== "function") return headers as IncomingHttpHeaders;
  const plain: IncomingHttpHeaders = {};
  (headers as FetchRequest["headers"]).forEach((value, name) => (plain[name] = value));
  return plain;
};
