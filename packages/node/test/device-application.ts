import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Duplex } from "node:stream";
import { openEmbedded, type OpenBackend, TestClock } from "@pawl/adapter-conformance";
import type { BrowserContext, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { forNode } from "../src/adapters/node.js";
import { createPawl, type PawlOptions } from "../src/index.js";
import { forSockets } from "../src/sockets/index.js";
import { served } from "./adapters/served.js";
import { certificate } from "./adapters/certificate.js";

export const MINUTE = 60_000;
/** Longer than the access tokens of the application live. */
export const LIFETIME = 11 * MINUTE;
export const ACCESS = "__Host-pawl-access";
export const REFRESH = "__Host-pawl-refresh";

const WEB_SDK = new URL("../../web/dist", import.meta.url).pathname;

/** What browsers asked of the device route, and what they were told. */
export interface DeviceRequest {
  readonly kind: "registration" | "refresh" | "refresh without a proof";
  readonly status: number;
}

const PAGE = "<!doctype html><link rel=icon href=data:,><title>Bound</title>";
/** Hands requests on as they are, and asks by itself when a page tells it to. */
const WORKER = `
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.url.endsWith("/me")) event.respondWith(fetch(event.request));
});
addEventListener("message", async ({ data, source }) => {
  const answer = await fetch(data);
  source.postMessage(await answer.text());
});`;

/** What the browser is to have of the access cookie: less of it, or nothing. */
const shorten = (req: IncomingMessage, seconds: number): string => {
  const [, value = ""] = new RegExp(`${ACCESS}=([^;]+)`, "u").exec(req.headers.cookie ?? "") ?? [];
  return `${ACCESS}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=Lax`;
};

export interface DeviceApplicationOptions extends Pick<PawlOptions, "origins"> {
  readonly openBackend?: OpenBackend;
}

/**
 * An application at `https://localhost` whose sessions are bound to devices, and end their access tokens after ten minutes
 * of its clock.
 *
 * - `POST /login`, `POST /confirm` (steps up), `POST /save` (changes the payload)
 * - `GET /callback` logs in too, as after a login at an identity provider
 * - `GET /me` wants a session, refreshed in place where that is done: the user's id
 * - `GET /expire?seconds=` sets the access cookie anew, for so long by the clock of the browser
 * - `GET /web/index.js` is the browser SDK
 * - `GET /page…` is a page, `/worker.js` its service worker; every path may be upgraded to a WebSocket
 */
export const startDeviceApplication = async ({
  openBackend = openEmbedded,
  ...options
}: DeviceApplicationOptions = {}) => {
  const clock = new TestClock();
  const backend = await openBackend({ deviceBinding: "prefer", accessTokenValidity: 10 * MINUTE }, clock);
  const thefts: string[] = [];
  const pawl = createPawl({
    ...backend.options,
    clock,
    onTokenTheft: ({ handle }) => void thefts.push(handle),
    ...options,
  });
  const { handle, createSession, requireSession } = forNode(pawl);
  const { authenticateUpgrade, refuseUpgrade, bindSocket } = forSockets(pawl);
  const device: DeviceRequest[] = [];
  const refusals: unknown[] = [];
  const refreshes: number[] = [];
  const skipped: string[] = [];

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(req.url ?? "", "https://localhost");
    switch (pathname) {
      case "/login":
        await createSession(req, res, { userId: "alice" });
        return void res.end();
      case "/callback":
        await createSession(req, res, { userId: "alice" }, { csrf: false });
        return void res.writeHead(303, { location: "/page" }).end();
      case "/confirm":
        await (await requireSession(req, res)).stepUp({ methods: ["otp"] });
        return void res.end();
      case "/save":
        await (await requireSession(req, res)).updatePayload({ saved: true });
        return void res.end();
      case "/me":
        return void res.end((await requireSession(req, res)).userId);
      case "/expire":
        res.setHeader("Set-Cookie", shorten(req, Number(searchParams.get("seconds"))));
        return void res.end();
      case "/worker.js":
        return void res.setHeader("Content-Type", "text/javascript").end(WORKER);
      default:
        if (pathname.startsWith("/web/")) {
          res.setHeader("Content-Type", "text/javascript");
          return void res.end(readFileSync(join(WEB_SDK, basename(pathname))));
        }
        res.setHeader("Content-Type", "text/html").end(PAGE);
    }
  };

  const note = (req: IncomingMessage, res: ServerResponse): void => {
    const {
      "secure-session-skipped": skips,
      "sec-secure-session-id": id,
      "secure-session-response": proof,
    } = req.headers;
    if (skips !== undefined) skipped.push(String(skips).split(";")[0]!);
    if (req.url === "/session/refresh") res.on("finish", () => refreshes.push(res.statusCode));
    if (req.url !== "/session/device") return;
    const kind = id === undefined ? "registration" : proof === undefined ? "refresh without a proof" : "refresh";
    res.on("finish", () => device.push({ kind, status: res.statusCode }));
  };

  const state: { before?: ((req: IncomingMessage, res: ServerResponse) => unknown) | undefined } = {};
  const { key, cert } = certificate();
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (req, res) => {
    note(req, res);
    void (async () => {
      await state.before?.(req, res);
      if (!res.writableEnded) await handle(req, res, () => answer(req, res));
    })();
  });
  const sockets = new WebSocketServer({ noServer: true });
  const upgrade = async (req: IncomingMessage, connection: Duplex, head: Buffer): Promise<void> => {
    try {
      const session = await authenticateUpgrade(req);
      sockets.handleUpgrade(req, connection, head, (socket) => {
        bindSocket(socket, session);
        socket.send(session.userId);
      });
    } catch (error) {
      refusals.push((error as { readonly code?: string }).code);
      refuseUpgrade(connection, error);
    }
  };
  server.on("upgrade", (...given) => void upgrade(...given));
  const { origin, close } = await served(server as never);
  onTestFinished(async () => {
    await close();
    await pawl.close();
    await backend.close();
  });
  return {
    clock,
    pawl,
    backend,
    thefts,
    /** In the order of their answers. */
    device,
    /** Why the browser says it did not refresh. */
    skipped,
    /** What pages were told that asked for a refresh. */
    refreshes,
    /** Of upgrades. */
    refusals,
    /** What comes before a request is handled; it may answer it. */
    state,
    origin: origin.replace("http://127.0.0.1", "https://localhost"),
  };
};

export type DeviceApplication = Awaited<ReturnType<typeof startDeviceApplication>>;

type Method = "GET" | "POST";

/** Sends a request from a page. @returns its status and its text */
export const send = (page: Page, path: string, method: Method = "GET"): Promise<readonly [number, string]> =>
  page.evaluate(
    async ([at, how]) => {
      const answer = await fetch(at, { method: how });
      return [answer.status, await answer.text()] as const;
    },
    [path, method] as const,
  );

/** What Chromium's developer tools tell of a bound session. */
interface DeviceEvent {
  readonly succeeded: boolean;
  readonly creationEventDetails?: object;
  readonly refreshEventDetails?: { readonly refreshResult: string; readonly wasFullyProactiveRefresh: boolean };
  readonly terminationEventDetails?: { readonly deletionReason: string };
}

/** A page, and what its browser tells of bound sessions. */
export const openPage = async (context: BrowserContext, app: DeviceApplication) => {
  const page = await context.newPage();
  await page.goto(`${app.origin}/page`);
  const events: DeviceEvent[] = [];
  const devTools = await context.newCDPSession(page);
  devTools.on("Network.deviceBoundSessionEventOccurred" as never, (event: never) => void events.push(event));
  await devTools.send("Network.enable");
  await devTools.send("Network.enableDeviceBoundSessions" as never, { enable: true } as never);
  return { page, events };
};

/** Whether the browser has taken over a session, since when it refreshes it. */
export const isTaken = ({ creationEventDetails, succeeded }: DeviceEvent): boolean =>
  creationEventDetails !== undefined && succeeded;

/** Opens a page and logs in. The session is bound when this returns, which is later than the page can go on. */
export const logInBound = async (context: BrowserContext, app: DeviceApplication) => {
  const opened = await openPage(context, app);
  expect(await send(opened.page, "/login", "POST")).toEqual([200, ""]);
  await expect.poll(() => opened.events.some(isTaken)).toBe(true);
  return opened;
};

/** Lets the access token run out, by the clock of the server and in the browser. */
export const letRunOut = async (app: DeviceApplication, page: Page, after = LIFETIME): Promise<void> => {
  app.clock.advance(after);
  await send(page, "/expire?seconds=0");
};
