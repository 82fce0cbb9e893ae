import { createPawl, type PawlOptions, SessionError } from "@pawl/node";
import { forExpress } from "@pawl/node/express";
import express, { type Express, type RequestHandler, type Response } from "express";
import type { Given } from "../src/index.js";

/** Where a mistake is planted in an application without any. */
interface Mistake {
  /** Beside what `simulate` hands over. */
  readonly options?: Partial<PawlOptions>;
  /** Before everything else; `pawl` is the application's. */
  readonly before?: (app: Express, parts: ReturnType<typeof partsOf>) => void;
  /** Instead of `errors()`. */
  readonly onError?: (error: unknown, res: Response) => boolean;
}

const partsOf = (given: Given, options: Partial<PawlOptions> = {}) => {
  const pawl = createPawl({ ...given, ...options } as PawlOptions);
  return { pawl, given, ...forExpress(pawl) };
};

/** A small shop with a login of its own. */
export const shop =
  ({ options, before, onError }: Mistake = {}) =>
  (given: Given): Express => {
    const parts = partsOf(given, options);
    const { routes, errors, createSession, requireSession, sessionOf } = parts;
    const app = express();
    app.use(express.json());
    before?.(app, parts);
    app.use(routes());
    app.post("/login", async (req, res) => {
      await createSession(req, res, { userId: (req.body as { user: string }).user });
      res.json({});
    });
    app.get("/me", requireSession(), (req, res) => void res.json({ userId: sessionOf(req).userId }));
    app.use(((error, _req, res, next) => {
      if (onError?.(error, res) !== true) next(error);
    }) as express.ErrorRequestHandler);
    app.use(errors());
    return app;
  };

/** Changes the head of every answer, after whatever else did. */
const rewriting =
  (change: (res: Response) => void): RequestHandler =>
  (_req, res, next) => {
    const { writeHead } = res;
    res.writeHead = ((...given: Parameters<typeof writeHead>) => {
      change(res);
      return Reflect.apply(writeHead, res, given) as Response;
    }) as typeof writeHead;
    next();
  };

const linesOf = (res: Response): readonly string[] => [res.getHeader("set-cookie") ?? []].flat().map(String);

const cookieOf = (header: string | undefined, end: string): string | undefined =>
  new RegExp(`${end}=([^;]*)`).exec(header ?? "")?.[1];

export const mistakes = {
  "a middleware keeps the last Set-Cookie only": {
    before: (app) =>
      app.use(
        rewriting((res) => {
          const last = linesOf(res).at(-1);
          if (last !== undefined) res.setHeader("set-cookie", last);
        }),
      ),
  },
  "a proxy joins the lines of Set-Cookie": {
    before: (app) =>
      app.use(
        rewriting((res) => {
          if (linesOf(res).length > 1) res.setHeader("set-cookie", linesOf(res).join(", "));
        }),
      ),
  },
  "every answer may be cached by everybody": {
    before: (app) => app.use(rewriting((res) => res.setHeader("cache-control", "public, max-age=300"))),
  },
  "pages may be cached by everybody, answers with cookies by nobody": {
    before: (app) =>
      app.use(
        rewriting((res) => {
          if (linesOf(res).length === 0) res.setHeader("cache-control", "max-age=60");
        }),
      ),
  },
  "answers are kept by their address, with their cookies": {
    before(app) {
      let kept: readonly string[] = [];
      app.use(
        "/me",
        rewriting((res) => {
          if (kept.length > 0) res.setHeader("set-cookie", kept);
          else kept = linesOf(res);
        }),
      );
    },
  },
  "pages may be cached by browsers": {
    before: (app) =>
      app.use(
        rewriting((res) => {
          if (linesOf(res).length === 0) res.setHeader("cache-control", "private, max-age=86400");
        }),
      ),
  },
  "pages are kept by their address": {
    before(app) {
      const pages = new Map<string, string>();
      app.get("/me", (_req, res, next) => {
        const page = pages.get("/me");
        if (page !== undefined) return void res.type("json").send(page);
        const { json } = res;
        res.json = (body: unknown) => {
          if (res.statusCode === 200) pages.set("/me", JSON.stringify(body));
          return Reflect.apply(json, res, [body]) as Response;
        };
        next();
      });
    },
  },
  "a failure of the storage is answered 401": {
    onError(error, res) {
      if (!(error instanceof SessionError) || error.code !== "UNKNOWN") return false;
      res.status(401).json({ message: "please log in" });
      return true;
    },
  },
  "a failure of the storage clears the cookies": {
    onError(error, res) {
      if (!(error instanceof SessionError) || error.code !== "UNKNOWN") return false;
      for (const name of ["__Host-pawl-access", "__Host-pawl-refresh"]) res.clearCookie(name, { secure: true });
      res.status(503).json({ message: "try again" });
      return true;
    },
  },
  "the login makes no session": { before: (app) => app.post("/login", (_req, res) => void res.json({})) },
  "access tokens are read and not verified": {
    before: (app) =>
      app.get("/me", (req, res, next) => {
        const [, body] = (cookieOf(req.headers.cookie, "pawl-access") ?? "").split(".");
        if (body === undefined || cookieOf(req.headers.cookie, "pawl-refresh") !== undefined) return next();
        res.json({ userId: JSON.parse(Buffer.from(body, "base64url").toString()).sub });
      }),
  },
  "users are kept in memory by their access token": {
    before(app, { getSession }) {
      const users = new Map<string, string>();
      app.get("/me", async (req, res, next) => {
        const token = cookieOf(req.headers.cookie, "pawl-access") ?? "";
        const userId = users.get(token) ?? (await getSession(req, res))?.userId;
        if (userId === undefined) return next();
        users.set(token, userId);
        res.json({ userId });
      });
    },
  },
  "nothing checks where a logout comes from": {
    before: (app, { signOut }) =>
      app.post("/signout", async (req, res) => {
        await signOut(req, res, { csrf: false });
        res.json({});
      }),
  },
  "nothing checks where a login comes from": {
    before: (app, { createSession }) =>
      app.post("/login", async (req, res) => {
        await createSession(req, res, { userId: (req.body as { user: string }).user }, { csrf: false });
        res.json({});
      }),
  },
  "a second instance has a storage of its own": {
    before(app, { given }) {
      const other = shop({ options: { storage: "memory:" } })(given);
      let turn = 0;
      app.use((req, res, next) => (req.method === "GET" && turn++ % 5 === 4 ? other(req, res, next) : next()));
    },
  },
  "the cookies are for another domain": { options: { cookies: { domain: "example.org" } } },
  "the refresh cookie goes to a path that nobody asks": { options: { cookies: { refreshPath: "/session" } } },
  "a login goes on with the session that is there": {
    before: (app, { getSession }) =>
      app.post("/login", async (req, res, next) =>
        (await getSession(req, res)) === undefined ? next() : res.json({}),
      ),
  },
  "a job goes on with a copied refresh token": {
    before(app, { pawl }) {
      const kept: string[] = [];
      app.use((req, _res, next) => {
        const token = cookieOf(req.headers.cookie, "pawl-refresh");
        if (token !== undefined) kept.push(token);
        // Now and then it uses an old one.
        const old = kept.length % 10 === 9 ? kept.at(-8) : undefined;
        if (old === undefined) return next();
        pawl.tokens.refresh(old).then(
          () => next(),
          () => next(),
        );
      });
    },
  },
  "a theft is reported, and nobody does anything": { options: { theftAction: "report" } },
} as const satisfies Readonly<Record<string, Mistake>>;
