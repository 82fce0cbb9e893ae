import type { Pawl } from "@pawl/node";
import { type RequestHandler, Router } from "express";
import type { Payload } from "./application.js";
import type { CookieView, DemoSettings, StolenAnswer } from "./page/answers.js";
import { cookieNamesOf, readCookies } from "./cookie-jar.js";
import { ThiefBrowsers } from "./thief.js";
import { fingerprint, viewAccessToken } from "./token-view.js";

/**
 * What no real application has: telling the page what its HttpOnly cookies hold, losing an answer on purpose, a thief, and
 * an administrator who needs no login.
 */
export const createDemoEndpoints = (
  pawl: Pawl<Payload>,
  { settings, certificate }: { readonly settings: DemoSettings; readonly certificate?: string | undefined },
): Router => {
  const endpoints = Router();
  const thieves = new ThiefBrowsers(certificate);
  const cookieNames = cookieNamesOf(settings);

  endpoints.use(loseNewTokens);

  endpoints.get("/demo/settings", (_req, res) => {
    res.json(settings);
  });

  endpoints.get("/demo/cookies", (req, res) => {
    const cookies = readCookies(req.headers.cookie);
    const refreshToken = cookies.get(cookieNames.refresh);
    const view: CookieView = {
      now: Date.now(),
      accessToken: viewAccessToken(cookies.get(cookieNames.access)),
      refreshFingerprint: refreshToken && fingerprint(refreshToken),
    };
    res.json(view);
  });

  endpoints.post("/demo/expire", (_req, res) => {
    res.clearCookie(cookieNames.access, { httpOnly: true, sameSite: "lax", secure: settings.https }).json({});
  });

  endpoints.post("/demo/role", async (req, res) => {
    const { handle, role } = (req.body ?? {}) as { readonly handle?: unknown; readonly role?: unknown };
    const isKnown = typeof handle === "string" && (role === "editor" || role === "reader");
    const isChanged = isKnown && (await pawl.sessions.updatePayload(handle, { role }));
    res.status(isChanged ? 200 : 404).json({});
  });

  endpoints.post("/demo/steal", (req, res) => {
    const cookies = readCookies(req.headers.cookie);
    const refreshToken = cookies.get(cookieNames.refresh);
    if (refreshToken === undefined) {
      res.status(409).json({ message: "There is no refresh token to steal" });
      return;
    }
    const answer: StolenAnswer = {
      // Where a copy of everything is of no use, all is taken; else the refresh token is enough.
      jar: thieves.steal(settings.https ? cookies : new Map([[cookieNames.refresh, refreshToken]]), jarOf(req.body)),
      fingerprint: fingerprint(refreshToken),
    };
    res.json(answer);
  });

  const asThief =
    (act: "refresh" | "call"): RequestHandler =>
    async (req, res) => {
      const answer = await thieves[act](jarOf(req.body) ?? "", req.socket.localPort);
      if (answer === undefined) res.status(404).json({ message: "There is no such jar" });
      else res.json(answer);
    };
  endpoints.post("/demo/thief/refresh", asThief("refresh"));
  endpoints.post("/demo/thief/call", asThief("call"));

  return endpoints;
};

/** The application does its work as always, but where its answer brings new tokens the connection is cut. */
const loseNewTokens: RequestHandler = (req, res, next) => {
  if (req.get("demo-lose-tokens") !== undefined) {
    const end = res.end.bind(res) as (...given: unknown[]) => typeof res;
    res.end = (...given: unknown[]) => {
      // Tokens are written with the head.
      if (!res.headersSent) res.writeHead(res.statusCode);
      if (["remove", undefined].includes(res.get("front-token"))) return end(...given);
      req.socket.destroy();
      return res;
    };
  }
  next();
};

const jarOf = (body: unknown): string | undefined => {
  const jar = (body as { readonly jar?: unknown } | undefined)?.jar;
  return typeof jar === "string" ? jar : undefined;
};
