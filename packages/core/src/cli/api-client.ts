import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Problem, type RouteResponse, type RouteBody, type RouteName, type RouteQuery } from "@pawl/protocol";
import { readConfig } from "../config/read-config.js";
import { CommandError, usageError } from "./command-error.js";
import { version } from "../version.js";
import type { Terminal } from "./terminal.js";

/** How a command finds the running core. */
export interface ApiClientOptions {
  readonly config?: string;
  readonly url?: string;
  readonly apiKeyFile?: string;
}

/** What an operation is asked with. */
interface Request<Name extends RouteName> {
  readonly handle?: string;
  readonly query?: RouteQuery<Name>;
  readonly body?: RouteBody<Name>;
}

/** Calls the `/v1` API of a running core. */
export interface ApiClient {
  /** The address of the core, without a slash at its end. */
  readonly url: string;
  /** @throws CommandError that says what went wrong and what to do about it. */
  call<Name extends RouteName>(name: Name, request?: Request<Name>): Promise<RouteResponse<Name>>;
}

const TIMEOUT = 30_000;

interface Target {
  readonly url: string;
  readonly apiKey: string | undefined;
}

const keyFromFile = (path: string): string => {
  try {
    const [key = ""] = readFileSync(path, "utf8")
      .trim()
      .split(/[\s,]+/);
    if (/^[\x21-\x7e]+$/.test(key)) return key;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw usageError(`the API key file cannot be read (${code ?? "unknown error"}): ${path}`, cause);
  }
  throw usageError(`the API key file holds no API key: ${path}`);
};

const givenUrl = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  )
    throw usageError("--url must be the address of a core, such as http://localhost:3567");
  return url.href.replace(/\/+$/, "");
};

/** The address of a core on this machine: one that listens everywhere is called on loopback. */
const localUrl = (host: string, port: number): string => {
  if (port === 0)
    throw usageError("the configured port is 0, a free one at each start: say --url http://localhost:<port>");
  const callable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${callable.includes(":") ? `[${callable}]` : callable}:${port}`;
};

/** Address and key: from the options, else from the same configuration that the core reads. */
const findTarget = (options: ApiClientOptions, terminal: Terminal): Target => {
  const { env, cwd } = terminal;
  const url = options.url ?? env["PAWL_URL"];
  const keyFile = options.apiKeyFile ?? env["PAWL_API_KEY_FILE"];
  const keyInFile = keyFile === undefined ? undefined : keyFromFile(resolve(cwd, keyFile));
  // The keys of a file that happens to lie here are not sent to an address that was named apart from it.
  if (url !== undefined && options.config === undefined) {
    const [apiKey] = (env["PAWL_API_KEYS"] ?? "").split(",");
    return { url: givenUrl(url), apiKey: keyInFile ?? (apiKey?.trim() || undefined) };
  }
  const config = readConfig({ env, cwd, file: options.config });
  return {
    url: url === undefined ? localUrl(config.host, config.port) : givenUrl(url),
    apiKey: keyInFile ?? config.apiKeys[0],
  };
};

const unreachable = (url: string, cause: unknown): CommandError => {
  const { name, cause: inner } = cause as { name?: string; cause?: { code?: string; errors?: { code?: string }[] } };
  if (name === "TimeoutError") return new CommandError(`the core at ${url} did not answer within 30 s`, { cause });
  const code = inner?.code ?? inner?.errors?.[0]?.code ?? "unknown error";
  return new CommandError(
    `no core answers at ${url} (${code}); start one with  pawl start  or name another one with --url`,
    { cause },
  );
};

const complaint = (answer: unknown, target: Target, handle: string | undefined): CommandError => {
  const { code, title, detail } = answer as Partial<Problem>;
  if (code === "session_not_found")
    return new CommandError(`${title ?? code}; pawl sessions explain ${handle ?? ""} tells what became of it`);
  if (code === "api_key_invalid")
    return new CommandError(
      target.apiKey === undefined
        ? `the core at ${target.url} asks for an API key: say --api-key-file <file>, or --config <its config.yaml>`
        : `the core at ${target.url} refuses the API key`,
    );
  return new CommandError(`${title ?? code ?? "the core refuses"}${detail === undefined ? "" : `: ${detail}`}`);
};

/**
 * Finds the core and returns a client for it; nothing is sent yet.
 * @throws ConfigError, or CommandError with exit code 2, when address or key cannot be told.
 */
export const createApiClient = (options: ApiClientOptions, terminal: Terminal): ApiClient => {
  const target = findTarget(options, terminal);
  return {
    url: target.url,
    async call<Name extends RouteName>(name: Name, request: Request<Name> = {}): Promise<RouteResponse<Name>> {
      // Loaded when something is asked for: the schemas take longer to build than all other commands take.
      const { routes } = await import("@pawl/protocol");
      const { method, path, success } = routes[name];
      const url = new URL(target.url + path.replace("{handle}", encodeURIComponent(request.handle ?? "")));
      const query: Readonly<Record<string, string | number | undefined>> = request.query ?? {};
      for (const [parameter, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(parameter, String(value));
      const response = await fetch(url, {
        method,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT),
        headers: {
          accept: "application/json",
          "user-agent": `pawl-cli/${version}`,
          ...(target.apiKey === undefined ? {} : { "api-key": target.apiKey }),
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
      }).catch((cause: unknown) => Promise.reject(unreachable(target.url, cause)));
      const text = await response.text().catch((cause: unknown) => Promise.reject(unreachable(target.url, cause)));
      const contentType = response.headers.get("content-type") ?? "";
      if (response.status === success.status && success.status === 204) return undefined as RouteResponse<Name>;
      if (response.status === success.status && contentType.startsWith("application/json"))
        return JSON.parse(text) as RouteResponse<Name>;
      if (contentType.startsWith("application/problem+json")) throw complaint(JSON.parse(text), target, request.handle);
      throw new CommandError(`${target.url} answers (status ${response.status}), but not as a Pawl core`);
    },
  };
};
