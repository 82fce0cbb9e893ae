import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { SessionError } from "@pawl/node";
import express, { type ErrorRequestHandler, type Express } from "express";
import { accountRoutes } from "./account-routes.js";
import { openidRoutes } from "./openid-routes.js";
import { passkeyRoutes } from "./passkey-routes.js";
import { passwordRoutes } from "./password-routes.js";
import type { Parts } from "./parts.js";
import { notePage } from "./views.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** No script or style but from our own files, and no frame around us. */
const headers = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Cache-Control": "no-store",
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

export const createApplication = (parts: Parts): Express => {
  const { routes, errors } = parts.sessions;
  // Behind a proxy: `app.set("trust proxy", …)`, or everybody's tries count as those of one address.
  const app = express().disable("x-powered-by");
  app.use((_req, res, next) => (res.set(headers), next()));
  app.use(express.static(here("../public")));
  app.use("/page", express.static(here("page")));
  app.use("/page/simplewebauthn", express.static(dirname(here(import.meta.resolve("@simplewebauthn/browser")))));
  app.use(routes());
  app.use(express.urlencoded({ extended: false, limit: "8kb" }), express.json({ limit: "32kb" }));
  app.use(passwordRoutes(parts), passkeyRoutes(parts), openidRoutes(parts), accountRoutes(parts));
  app.use(errorsAsPages, errors());
  return app;
};

/** Sends people where they can go on; what a script has asked for is answered as JSON, by `errors()`. */
const errorsAsPages: ErrorRequestHandler = (error, req, res, next) => {
  if (!(error instanceof SessionError) || res.headersSent || req.accepts(["json", "html"]) !== "html")
    return next(error);
  if (error.code === "STEP_UP") {
    const onlyPasskey = error.challenge?.includes("amr_values") ? "&passkey" : "";
    return res.redirect(303, `/confirm?back=${encodeURIComponent(req.path)}${onlyPasskey}`);
  }
  if (error.status === 401) return res.redirect(303, `/?reason=${error.reason ?? ""}`);
  const [title, text] =
    error.status === 503
      ? ["One moment", "We cannot tell whether you are logged in. Try again in a moment."]
      : ["Not allowed", error.code === "CSRF" ? "Another site has sent this." : "This is not for you."];
  res.status(error.status).send(notePage(title, text));
};
