import type { SessionHandle } from "@pawl/engine";
import {
  type Problem,
  type ProblemCode,
  type Route,
  type RouteResponse,
  type RouteBody,
  type RouteName,
  type RouteQuery,
  oauthRoutes,
  routes,
} from "@pawl/protocol";
import type { EndReason, UserId } from "@pawl/storage";
import type { LogoutAnswer } from "../session-backend.js";
import { type CoreAnswer, type CoreCall, type CoreHosts, refusal } from "./core-hosts.js";

/** What may be asked of a second host although the first may have done it; besides these, every GET. */
const repeatable: ReadonlySet<RouteName> = new Set<RouteName>([
  "refreshSession",
  "adoptSession",
  "refuseAdoption",
  "bindSession",
  "verifySession",
  "liveSessions",
  "revokeSessions",
  "reportUses",
]);

export interface Question<Name extends RouteName> {
  readonly handle?: string;
  readonly body?: RouteBody<Name>;
  readonly query?: RouteQuery<Name>;
  /** Asks this host and no other. */
  readonly only?: string;
}

/** An answer about the matter that is not success. */
interface Refusal {
  readonly code: ProblemCode;
  readonly message: string;
  /** With `unauthorised` at a refresh: why the session ended, where it is known. */
  readonly reason: EndReason | undefined;
  /** What the code does not say, where it is known. */
  readonly why: Problem["why"];
  /** With `unproven`. */
  readonly challenge: string;
  /** With `token_theft_detected` and `unproven`. */
  readonly session: { readonly handle: SessionHandle; readonly userId: UserId };
}

export type Reply<Name extends RouteName> =
  | { readonly kind: "success"; readonly body: RouteResponse<Name> }
  | ({ readonly kind: "refused" } & Refusal);

type LogoutBody = Readonly<Partial<Record<"ended" | "error" | "error_description", unknown>>>;

/** The core's API by the names of its operations. */
export class CoreClient {
  readonly #hosts: CoreHosts;

  constructor(hosts: CoreHosts) {
    this.#hosts = hosts;
  }

  /** @throws SessionError `UNKNOWN` for every answer but success. */
  async get<Name extends RouteName>(name: Name, question: Question<Name> = {}): Promise<RouteResponse<Name>> {
    const reply = await this.ask(name, question, []);
    return (reply as Extract<typeof reply, { kind: "success" }>).body;
  }

  /**
   * Tells what nobody waits for. What is refused (4xx) is dropped, for it would be refused again.
   * @throws SessionError `UNKNOWN` when it was not taken and may be told again.
   */
  async tell<Name extends RouteName>(name: Name, question: Question<Name>): Promise<void> {
    const { call, answer, route } = await this.#call(name, question);
    const isRefused = answer.status >= 400 && answer.status < 500;
    if (!isRefused && !isSuccess(route, answer)) throw refusal(call, answer);
  }

  /**
   * Asks, where some problems are answers too. Both success and problem must have the form that the API documents:
   * a status alone, or any page, could be a proxy's.
   * @throws SessionError `UNKNOWN` for everything else.
   */
  async ask<Name extends RouteName>(
    name: Name,
    question: Question<Name>,
    expected: readonly ProblemCode[],
  ): Promise<Reply<Name>> {
    const { call, answer, route } = await this.#call(name, question);
    if (isSuccess(route, answer)) return { kind: "success", body: answer.body as RouteResponse<Name> };
    const refused = refusalOf(answer);
    if (refused !== undefined && expected.includes(refused.code)) return { kind: "refused", ...refused };
    throw refusal(call, answer);
  }

  /**
   * Hands on a logout token of an identity provider.
   * @throws SessionError `UNKNOWN` for what is no answer of that endpoint.
   */
  async receiveLogout(logoutToken: string): Promise<LogoutAnswer> {
    const call: CoreCall = {
      method: "POST",
      path: oauthRoutes.backchannelLogout.path,
      operation: "backchannelLogout",
      idempotent: true,
      body: new URLSearchParams({ logout_token: logoutToken }).toString(),
      contentType: "application/x-www-form-urlencoded",
    };
    const answer = await this.#hosts.call(call);
    const { ended, error, error_description: message } = (isObject(answer.body) ? answer.body : {}) as LogoutBody;
    if (answer.status === 200 && typeof ended === "number") return { kind: "ended", ended };
    if (answer.status === 400 && error === "invalid_request") return { kind: "refused", message: String(message) };
    throw refusal(call, answer);
  }

  async #call<Name extends RouteName>(name: Name, { handle, body, query, only }: Question<Name>) {
    const route: Route = routes[name];
    const { method } = route;
    const path = route.path.replace("{handle}", encodeURIComponent(handle ?? "")) + queryText(query);
    const call: CoreCall = {
      method,
      path,
      operation: name,
      idempotent: method === "GET" || repeatable.has(name),
      body: body && JSON.stringify(body),
      only,
    };
    return { route, call, answer: await this.#hosts.call(call) };
  }
}

/** The documented status, and a JSON object with the members that every such answer has. */
const isSuccess = ({ success }: Route, { status, body }: CoreAnswer): boolean => {
  if (status !== success.status) return false;
  if (success.body === undefined) return true;
  const { required = [] } = success.body as { readonly required?: readonly string[] };
  return isObject(body) && required.every((name) => Object.hasOwn(body, name));
};

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @returns undefined for what is no problem of our API. */
const refusalOf = ({ body }: CoreAnswer): Refusal | undefined => {
  if (!isObject(body)) return undefined;
  const {
    type,
    code,
    title,
    detail,
    reason,
    why,
    challenge = "",
    sessionHandle,
    userId,
  } = body as Readonly<Record<string, string>>;
  if (type !== `urn:pawl:problem:${code}`) return undefined;
  return {
    code: code as ProblemCode,
    message: detail ?? title ?? "",
    reason: reason as EndReason | undefined,
    why: why as Refusal["why"],
    challenge,
    session: { handle: sessionHandle as SessionHandle, userId: userId as UserId },
  };
};

const queryText = (query: unknown): string => {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) text.set(name, String(value));
  return text.size === 0 ? "" : `?${text.toString()}`;
};
