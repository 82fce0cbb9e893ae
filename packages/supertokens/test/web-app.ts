import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Error as SessionError, type Pawl } from "../src/index.js";

/** An application on bare `node:http`, as small as one can be. Errors are answered as JSON, so that a test sees them. */
export interface WebApp {
  readonly url: string;
  close(): Promise<void>;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<unknown>;

const readJson = async (req: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
};

export const listen = async (server: Server): Promise<WebApp> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** What a failure looks like to the test. */
export const failureOf = (error: unknown): object =>
  SessionError.isErrorFromAuth(error)
    ? {
        errType: error.errType,
        code: error.code,
        message: error.message,
        err: error.errType === 4000 ? error.err : null,
      }
    : { unexpected: String(error) };

export const startWebApp = (pawl: Pawl): Promise<WebApp> => {
  const handlers: Readonly<Record<string, Handler>> = {
    "POST /login": async (req, res) => {
      const { userId, payload, data } = await readJson(req);
      const session = await pawl.createNewSession(res, userId as string, payload as never, data as never);
      return { handle: session.getHandle(), payload: session.getJWTPayload() };
    },
    "GET /me": async (req, res) => {
      const session = await pawl.getSession(req, res, false);
      return { userId: session.getUserId(), handle: session.getHandle(), payload: session.getJWTPayload() };
    },
    "POST /me": async (req, res) => ({ userId: (await pawl.getSession(req, res, true)).getUserId() }),
    "POST /session/refresh": async (req, res) => ({ handle: (await pawl.refreshSession(req, res)).getHandle() }),
    "POST /logout": async (req, res) => (await pawl.getSession(req, res, true)).revokeSession(),
    "GET /data": async (req, res) => (await pawl.getSession(req, res, false)).getSessionData(),
    "POST /data": async (req, res) => {
      const data = await readJson(req);
      return (await pawl.getSession(req, res, true)).updateSessionData(data as never);
    },
    "POST /others": async (req, res) => pawl.sessions.revokeOthers(await pawl.getSession(req, res, true)),
    "GET /sessions": async (req, res) => {
      const current = await pawl.getSession(req, res, false);
      return pawl.sessions.listForUser(current.getUserId(), { current });
    },
    "OPTIONS /me": async (_req, res) => pawl.setRelevantHeadersForOptionsAPI(res),
  };
  const server = createServer({ maxHeaderSize: 2_000_000 }, (req, res) => {
    void (async () => {
      let body: unknown;
      try {
        body = (await handlers[`${req.method} ${req.url}`]?.(req, res)) ?? {};
      } catch (error) {
        res.statusCode = 401;
        body = failureOf(error);
      }
      res.setHeader("Content-Type", "application/json");
      res.end(JSON.stringify(body));
    })();
  });
  return listen(server);
};

/** An answer, with its `Set-Cookie` lines apart. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly setCookie: readonly string[];
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}
