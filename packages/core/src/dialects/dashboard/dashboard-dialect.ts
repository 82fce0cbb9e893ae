import type { DashboardFile } from "@pawl/dashboard";
import { cookieValues, type RouteName } from "@pawl/protocol";
import type { Storage } from "@pawl/storage";
import type { CoreReply, CoreRequest, Dialect, Found, Operation } from "../../server/dialect.js";
import { parseJsonObject } from "../../server/json-object.js";
import { withoutHead } from "../../server/request-target.js";
import { createPathTable } from "../path-table.js";
import { problemReply } from "../v1/problem-reply.js";
import type { DashboardAccess, Granted } from "./dashboard-access.js";

interface DashboardDialectOptions {
  readonly access: DashboardAccess;
  /** By the path below `/dashboard`; that of the page itself is empty. */
  readonly files: ReadonlyMap<string, DashboardFile>;
  readonly storage: Pick<Storage, "now">;
  /** Whose operations the page uses. */
  readonly v1: Pick<Dialect, "find">;
}

const PREFIX = "/dashboard";
/** Over HTTPS no other host can set a cookie of this name; over plain HTTP it stays away from what else a host serves. */
const SECURE_COOKIE = "__Host-pawl-dashboard";
const PLAIN_COOKIE = "pawl-dashboard";

/** What the page may read: nothing that holds a token or makes one. */
const reads: readonly RouteName[] = [
  "listSessions",
  "getSession",
  "explainSession",
  "liveSessions",
  "listEvents",
  "listCounts",
  "listSigningKeys",
  "listNodes",
  "listWebhooks",
  "listDeliveries",
  "settings",
  "configuration",
];
/** What it may do: each is an `admin` event. */
const acts: readonly RouteName[] = ["revokeSessions", "rotateSigningKey", "retryDelivery", "dropDelivery"];

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/** Of every answer, whatever it is. */
const HEADERS: readonly string[] = Object.entries({
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
}).flat();

const guarded = (reply: CoreReply, ...headers: readonly string[]): CoreReply => ({
  ...reply,
  headers: [...HEADERS, ...(reply.headers ?? []), ...headers],
});

const DONE: CoreReply = { status: 204, body: "" };
const CLOSED = "open the dashboard with a new link: pawl dashboard";

/**
 * The dashboard: its page, how a link opens a session of it, and those operations of `/v1` that the page needs. Only our own
 * page gets anything here, and only with a session whatever tells of a user or does something.
 */
export const createDashboardDialect = ({ access, files, storage, v1 }: DashboardDialectOptions): Dialect => {
  const own = (name: string, handle: (request: CoreRequest) => CoreReply | Promise<CoreReply>): Operation => ({
    name: `dashboard ${name}`,
    access: "open",
    browsers: "own_page",
    handle: async (request) => guarded(await handle(request)),
  });

  const open = async (request: CoreRequest): Promise<CoreReply> => {
    const { link } = parseJsonObject(request.body) ?? {};
    const session = typeof link === "string" ? await access.open(link) : undefined;
    if (session === undefined)
      return problemReply("unauthorised", { detail: "the link is used or over: pawl dashboard" });
    return { ...DONE, headers: ["Set-Cookie", cookieOf(request, session, storage.now())] };
  };
  const close = async (request: CoreRequest): Promise<CoreReply> => {
    for (const session of sessionsOf(request)) await access.close(session);
    return { ...DONE, headers: ["Set-Cookie", cookieOf(request, undefined, storage.now())] };
  };

  const within = (name: RouteName, operation: Operation): Operation =>
    own(name, async (request) => {
      if (!(await access.isOpen(sessionsOf(request)))) return problemReply("unauthorised", { detail: CLOSED });
      // What it does is written down with who did it.
      const headers = { ...request.headers, "user-agent": "dashboard" };
      return operation.handle({ ...request, headers, path: request.path.slice(PREFIX.length) }) as Promise<CoreReply>;
    });
  const names = new Map([...reads, ...acts].map((name) => [`v1 ${name}`, name]));
  const operations = new Map<Operation, Operation>();
  const findV1 = (method: string, path: string): Found | undefined => {
    const found = v1.find(method, path);
    if (found === undefined || !("operation" in found)) return undefined;
    const name = names.get(found.operation.name);
    if (name === undefined) return undefined;
    let operation = operations.get(found.operation);
    if (operation === undefined) operations.set(found.operation, (operation = within(name, found.operation)));
    return { operation };
  };

  const table = createPathTable([
    ...[...files].map(([name, file]) => {
      const path = name === "" ? PREFIX : `${PREFIX}/${name}`;
      return ["GET", path, own("file", ({ headers }) => fileReply(file, headers["accept-encoding"]))] as const;
    }),
    ["POST", `${PREFIX}/session`, own("open", open)],
    ["DELETE", `${PREFIX}/session`, own("close", close)],
  ]);

  return {
    find: (method, path) =>
      path.startsWith(`${PREFIX}/v1/`)
        ? findV1(withoutHead(method), path.slice(PREFIX.length))
        : table.find(withoutHead(method), path),
    owns: (path) => path === PREFIX || path.startsWith(`${PREFIX}/`),
    refuse: (problem, { detail, errorId }) =>
      guarded(
        problemReply(problem, {
          detail: problem === "browser_refused" ? "paste the address into a new tab" : detail,
          instance: errorId === undefined ? undefined : `urn:uuid:${errorId}`,
        }),
      ),
  };
};

const sessionsOf = ({ headers: { cookie = "" } }: CoreRequest): readonly string[] =>
  [SECURE_COOKIE, PLAIN_COOKIE].flatMap((name) => cookieValues(cookie, name));

/** Tells by `Origin`, which browsers send with what is not a GET, whether they came over HTTPS: a proxy may have ended it. */
const cookieOf = ({ headers: { origin } }: CoreRequest, session: Granted | undefined, now: number): string => {
  const seconds = session === undefined ? 0 : Math.ceil((session.until - now) / 1000);
  const isSecure = origin?.startsWith("https:") === true;
  const [name, scope] = isSecure ? [SECURE_COOKIE, "Path=/; Secure"] : [PLAIN_COOKIE, `Path=${PREFIX}`];
  return `${name}=${session?.token ?? ""}; Max-Age=${seconds}; ${scope}; HttpOnly; SameSite=Strict`;
};

const fileReply = ({ contentType, body, gzip, isImmutable }: DashboardFile, encodings = ""): CoreReply => ({
  status: 200,
  contentType,
  cacheControl: isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
  ...(/\bgzip\b/.test(encodings)
    ? { body: gzip, headers: ["Content-Encoding", "gzip", "Vary", "Accept-Encoding"] }
    : { body, headers: ["Vary", "Accept-Encoding"] }),
});
