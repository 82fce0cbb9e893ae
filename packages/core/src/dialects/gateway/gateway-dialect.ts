import type { AccessTokenClaims, SessionEngine } from "@pawl/engine";
import { type GatewayCode, gatewayHeaders as names, gatewayRefusals, gatewayRoute } from "@pawl/protocol";
import type { CoreReply, CoreRequest, Dialect, Operation } from "../../server/dialect.js";
import { withoutHead } from "../../server/request-target.js";
import { introspectionBody } from "../oauth/introspection-body.js";
import { createPathTable } from "../path-table.js";
import { compileValidator, parseQuery } from "../v1/validator.js";
import { type CheckedRequest, type CheckRules, createCheck } from "./check.js";

interface GatewayDialectOptions {
  readonly engine: Pick<SessionEngine, "policy" | "storage" | "verifyAccessToken" | "reportUses">;
}

const PREFIX = "/gateway/";
/** What `@pawl/node` calls it over TLS: no other host can set one of this name. */
const COOKIE = "__Host-pawl-access";
const CHALLENGE = ["WWW-Authenticate", "Bearer"];

/**
 * What a gateway asks about each request, in front of applications that have no SDK of ours. It hands on the request's own
 * `Cookie`, `Authorization`, `Origin` and `Sec-Fetch-Site`, and method, host and target as `X-Forwarded-*`. There are three
 * outcomes: whose session it is, that there is none, and that nothing is known, which is also what a gateway is told whose
 * own request is wrong: no user may seem logged out by that.
 */
export const createGatewayDialect = ({ engine }: GatewayDialectOptions): Dialect => {
  const check = createCheck(engine);
  const validate = compileValidator(gatewayRoute.query);

  const handle: Operation["handle"] = async (request) => {
    const read = parseQuery(gatewayRoute.query, request.query);
    const fault = "repeated" in read ? `${read.repeated}: must be given once` : validate(read.values);
    if ("repeated" in read || fault !== undefined) return refused("UNKNOWN", { detail: fault });
    const asked = requestOf(request);
    const outcome = await check(asked, rulesOf(read.values));
    if (outcome.kind === "passed") return passed(outcome.claims);
    const { code, detail } = outcome;
    const headers = [names.return, encodeURIComponent(asked.target), ...(code === "CSRF" ? [] : CHALLENGE)];
    return refused(code, { detail, headers });
  };

  const { method, path } = gatewayRoute;
  const operation: Operation = { name: "gateway check", access: "verifier", browsers: "relayed", handle };
  const table = createPathTable([[method, path, operation]]);
  return {
    find: (asked, at) => table.find(withoutHead(asked), at),
    owns: (at) => at.startsWith(PREFIX),
    refuse: (problem, { detail }) => refused("UNKNOWN", { detail: detail ?? problem }),
  };
};

/** Header values are ASCII whatever the user is called; nothing of them can begin another header. */
const passed = (claims: AccessTokenClaims): CoreReply => {
  const told = introspectionBody({ kind: "access_token", claims }, undefined);
  return {
    status: 200,
    body: "",
    headers: Object.entries({
      [names.user]: encodeURIComponent(claims.userId),
      [names.session]: claims.handle,
      [names.claims]: Buffer.from(JSON.stringify(told)).toString("base64url"),
    }).flat(),
  };
};

/** The answer is also one that a page may be given as it is. */
const refused = (
  code: GatewayCode,
  { detail, headers = [] }: { readonly detail: string | undefined; readonly headers?: readonly string[] },
): CoreReply => {
  const { status, message } = gatewayRefusals[code];
  return {
    status,
    contentType: "application/json; charset=utf-8",
    body: JSON.stringify({ message, code, detail }),
    headers: [names.code, code, ...headers],
  };
};

const requestOf = ({ headers }: CoreRequest): CheckedRequest => {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  };
  const target = header("x-forwarded-uri") ?? "";
  return {
    // Where it is not told it is not known to be safe.
    method: (header("x-forwarded-method") ?? "").toUpperCase(),
    header,
    authority: () => header("x-forwarded-host"),
    // As the refresh route takes a path to return to; what looks like another host is none.
    target: /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(target) ? target : "/",
  };
};

const rulesOf = (values: {
  readonly cookie?: string;
  readonly origins?: string;
  readonly checkDatabase?: string;
}): CheckRules => ({
  cookie: values.cookie ?? COOKIE,
  origins: values.origins?.split(",") ?? [],
  checkDatabase: values.checkDatabase === undefined ? undefined : values.checkDatabase === "true",
});
