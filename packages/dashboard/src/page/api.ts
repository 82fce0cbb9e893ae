import type { Problem, RouteBody, RouteQuery, RouteResponse } from "@pawl/protocol";

/** The operations of `/v1` that the core serves to this page, below `dashboard/v1/`. */
const operations = {
  listSessions: ["GET", "sessions"],
  getSession: ["GET", "sessions/{handle}"],
  explainSession: ["GET", "sessions/{handle}/explanation"],
  liveSessions: ["POST", "sessions/live"],
  revokeSessions: ["POST", "sessions/revoke"],
  listEvents: ["GET", "events"],
  listCounts: ["GET", "counts"],
  listSigningKeys: ["GET", "keys"],
  listNodes: ["GET", "nodes"],
  listWebhooks: ["GET", "webhooks"],
  listDeliveries: ["GET", "webhooks/deliveries"],
  retryDelivery: ["POST", "webhooks/deliveries/retry"],
  dropDelivery: ["POST", "webhooks/deliveries/drop"],
  rotateSigningKey: ["POST", "keys/rotate"],
  configuration: ["GET", "configuration"],
} as const;

export type Name = keyof typeof operations;

export interface Asked<N extends Name> {
  readonly handle?: string;
  readonly query?: RouteQuery<N>;
  readonly body?: RouteBody<N>;
}

/** Why there is no answer. `code` is `unreachable` where no core answered at all. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

const PATIENCE = 20_000;

const send = async (method: string, path: string, body: unknown): Promise<unknown> => {
  const response = await fetch(`dashboard/${path}`, {
    method,
    signal: AbortSignal.timeout(PATIENCE),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  }).catch(() => undefined);
  const text = await response?.text().catch(() => undefined);
  if (response === undefined || text === undefined) throw new ApiError("unreachable", "The core does not answer.");
  if (response.status === 204) return undefined;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError("unreachable", `Something else than the core answers (status ${response.status}).`);
  }
  if (response.ok) return answer;
  const { code, title, detail } = answer as Partial<Problem>;
  throw new ApiError(code ?? "unknown", detail === undefined ? `${title ?? "Refused"}.` : `${title}: ${detail}.`);
};

/** Calls an operation. @throws ApiError */
export const call = async <N extends Name>(name: N, asked: Asked<N>): Promise<RouteResponse<N>> => {
  const { handle = "", query, body } = asked;
  const [method, path] = operations[name];
  const given = Object.entries((query ?? {}) as Readonly<Record<string, string | number | undefined>>).flatMap(
    ([key, value]) => (value === undefined ? [] : [[key, String(value)]]),
  );
  const search = given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
  const at = `v1/${path.replace("{handle}", encodeURIComponent(handle))}${search}`;
  return (await send(method, at, body)) as RouteResponse<N>;
};

/** Opens a session of the dashboard by a link. @throws ApiError `unauthorised` for one that is used or over */
export const openSession = (link: string): Promise<unknown> => send("POST", "session", { link });

export const closeSession = (): Promise<unknown> => send("DELETE", "session", undefined);
