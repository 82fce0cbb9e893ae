import type { Pawl } from "@pawl/supertokens";
import { type Request, type RequestHandler, type Response, Router } from "express";
import {
  type CookieView,
  type DemoSettings,
  type ExplanationView,
  refreshPath,
  type StolenAnswer,
} from "./page/answers.js";
import { readCookies } from "./cookie-jar.js";
import { ThiefBrowsers } from "./thief.js";
import { fingerprint, viewAccessToken } from "./token-view.js";

/** What the demo's own endpoints need to know. */
export interface DemoEndpointsOptions {
  readonly pawl: Pawl;
  readonly settings: DemoSettings;
}

/**
 * What no real application has: telling the page what its HttpOnly cookies hold, losing an answer on purpose, and a
 * thief. Those that need the refresh token's cookie live below the refresh path, for it is sent nowhere else.
 */
export const createDemoEndpoints = ({ pawl, settings }: DemoEndpointsOptions): Router => {
  const endpoints = Router();
  const thieves = new ThiefBrowsers();

  endpoints.get("/demo/settings", (_req, res) => {
    res.json(settings);
  });

  endpoints.get(`${refreshPath}/demo/cookies`, (req, res) => {
    const cookies = readCookies(req.headers.cookie);
    const accessToken = viewAccessToken(cookies.get("sAccessToken"));
    const refreshToken = cookies.get("sRefreshToken");
    const view: CookieView = {
      now: Date.now(),
      accessToken,
      refreshFingerprint: refreshToken && fingerprint(refreshToken),
    };
    res.json(view);
  });

  endpoints.post("/demo/expire", (_req, res) => {
    res.append("Set-Cookie", `sAccessToken=; Path=/; Expires=${new Date(0).toUTCString()}; HttpOnly; SameSite=Lax`);
    res.json({});
  });

  endpoints.get("/demo/explain", async (req, res) => {
    const { status, reason, summary, endedAt } = await pawl.sessions.explain(
      typeof req.query.handle === "string" ? req.query.handle : "",
    );
    const view: ExplanationView = {
      status,
      summary,
      reason,
      endedAt,
    };
    res.json(view);
  });

  endpoints.post(`${refreshPath}/demo/steal`, (req, res) => {
    const refreshToken = readCookies(req.headers.cookie).get("sRefreshToken");
    if (refreshToken === undefined) {
      res.status(409).json({ message: "There is no refresh token to steal" });
      return;
    }
    const answer: StolenAnswer = {
      jar: thieves.steal(refreshToken, jarOf(req)),
      fingerprint: fingerprint(refreshToken),
    };
    res.json(answer);
  });

  const asThief =
    (act: "refresh" | "call"): RequestHandler =>
    async (req, res) => {
      const answer = await thieves[act](jarOf(req) ?? "", `http://127.0.0.1:${req.socket.localPort}`);
      if (answer === undefined) res.status(404).json({ message: "There is no such jar" });
      else res.json(answer);
    };
  endpoints.post("/demo/thief/refresh", asThief("refresh"));
  endpoints.post("/demo/thief/call", asThief("call"));

  endpoints.post(refreshPath, (req, res, next) => {
    if (req.get("demo-lose-answer") !== undefined) cutInsteadOfAnswering(req, res);
    next();
  });

  return endpoints;
};

/** The application does its work as always, but when it answers the connection is cut. */
const cutInsteadOfAnswering = (req: Request, res: Response): void => {
  res.end = () => {
    req.socket.destroy();
    return res;
  };
};

const jarOf = (req: Request): string | undefined => {
  const jar = (req.body as { readonly jar?: unknown } | undefined)?.jar;
  return typeof jar === "string" ? jar : undefined;
};
