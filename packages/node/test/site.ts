import type { Storage } from "@pawl/storage";
import { onTestFinished } from "vitest";
import { CookieJar } from "../../supertokens/test/cookie-jar.js";
import { forFetch } from "../src/adapters/fetch.js";
import { type CookieOptions, createPawl, fetchExchange } from "../src/index.js";
import { testClock } from "./clock.js";

export const HOST = "app.example.com";
export const HOUR = 3_600_000;
/** Redirects that a visit takes at most: to the refresh, to itself, and back. */
const MOST_REDIRECTS = 3;

export interface SiteOptions {
  readonly cookies?: CookieOptions;
  readonly origins?: readonly string[];
  readonly headerMode?: boolean;
  /** One of its own unless given. */
  readonly storage?: Storage;
  readonly jar?: CookieJar;
  /** Which lines of answers the browser keeps; all unless given. */
  readonly keeps?: (line: string) => boolean;
}

type RequestHeaders = Readonly<Record<string, string>>;

/** What a browser says of a link, or a form, on a page of another site. */
export const fromOtherSite: RequestHeaders = {
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};

/**
 * An application at `https://app.example.com`, and a browser with a jar.
 *
 * - `POST /login?user=alice` logs in
 * - `/me`, and every path that ends so, asks for the session, refreshed in place: `{ userId }`, null where there is none
 * - every other page is rendered where no cookie can be set, and sends the browser to refresh: `{ userId }` too
 */
export const startSite = ({ keeps = () => true, jar = new CookieJar(), ...options }: SiteOptions = {}) => {
  const clock = testClock();
  const thefts: string[] = [];
  const pawl = createPawl({
    storage: "memory:",
    masterKey: Buffer.alloc(32, 7).toString("base64"),
    clock,
    onTokenTheft: ({ userId }) => void thefts.push(userId),
    ...options,
  });
  const { handle, createSession, getSession } = forFetch(pawl);

  const serve = (request: Request): Promise<Response> =>
    handle(request, async () => {
      const { pathname, search, searchParams } = new URL(request.url);
      if (pathname === "/login") {
        await createSession(request, { userId: searchParams.get("user") ?? "alice" });
        return Response.json({});
      }
      if (pathname.endsWith("/me")) return Response.json({ userId: (await getSession(request))?.userId ?? null });
      const read = await pawl.readSession(fetchExchange(request));
      if (read.status !== "try_refresh")
        return Response.json({ userId: read.status === "valid" ? read.session.userId : null });
      const location = `/session/refresh?return=${encodeURIComponent(pathname + search)}`;
      return new Response(undefined, { status: 303, headers: { location } });
    });

  /** The request of the browser as it stands now; the answer is received when it is asked for. */
  const ask = (path: string, { method = "GET", headers = {} }: { method?: string; headers?: RequestHeaders } = {}) => {
    const url = new URL(path, `https://${HOST}`);
    const cookie = jar.header(HOST, url.pathname);
    return new Request(url, { method, headers: { ...(cookie === "" ? {} : { cookie }), ...headers } });
  };
  const receive = (answer: Response): Response => {
    jar.receive(HOST, answer.headers.getSetCookie().filter(keeps));
    return answer;
  };
  const send = async (...asked: Parameters<typeof ask>): Promise<Response> => receive(await serve(ask(...asked)));

  /** Follows redirects as a browser does. @returns who is logged in on the page; the status of a refusal. */
  const visit = async (path: string, headers: RequestHeaders = {}): Promise<unknown> => {
    let at = path;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await send(at, { headers });
      const location = answer.headers.get("location");
      if (location === null)
        return answer.status === 200 ? ((await answer.json()) as { userId: unknown }).userId : answer.status;
      const url = new URL(location, `https://${HOST}${at}`);
      at = url.pathname + url.search;
    }
    return "a loop";
  };

  return {
    clock,
    thefts,
    pawl,
    jar,
    ask,
    serve,
    receive,
    send,
    visit,
    login: (user = "alice", headers: RequestHeaders = {}) => send(`/login?user=${user}`, { method: "POST", headers }),
    close: () => pawl.close(),
  };
};

/** A site that is closed when the test has ended. */
export const siteOfTest = (options?: SiteOptions) => {
  const site = startSite(options);
  onTestFinished(site.close);
  return site;
};
