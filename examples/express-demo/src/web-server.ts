import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express, type RequestHandler } from "express";
import type { Pawl } from "@pawl/node";
import { createApplication, type Payload } from "./application.js";
import { createDemoEndpoints } from "./demo-endpoints.js";
import type { DemoSettings } from "./page/answers.js";

const asIs = { cacheControl: false };
/** The browser SDK as it is installed: a page without a bundler imports its files as they are. */
const webSdk = dirname(createRequire(import.meta.url).resolve("@pawl/web"));
const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The application with the demo's endpoints around it, and the page. */
export const createWebServer = ({
  pawl,
  settings,
  certificate,
}: {
  readonly pawl: Pawl<Payload>;
  readonly settings: DemoSettings;
  /** PEM, over https. */
  readonly certificate?: string | undefined;
}): Express => {
  const app = express();
  app.disable("x-powered-by");
  app.use(refuseForeignHosts, protectPage, express.json({ limit: "10kb" }));
  app.use(createDemoEndpoints(pawl, { settings, certificate }), createApplication(pawl));
  app.use("/pawl-web", express.static(webSdk, asIs));
  app.use(express.static(folder("../public"), asIs), express.static(folder("./page"), asIs));
  return app;
};

/** A page elsewhere whose name was bent to our address must not reach the demo. */
const refuseForeignHosts: RequestHandler = (req, res, next) => {
  if (["localhost", "127.0.0.1", "[::1]"].includes((req.headers.host ?? "").replace(/:\d+$/, ""))) next();
  else res.status(403).json({ message: "This demo answers on localhost only" });
};

const protectPage: RequestHandler = (_req, res, next) => {
  res.set({
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
  });
  next();
};
